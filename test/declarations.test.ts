// Doc comments of the public types in an editor. They are read from the declarations of the package, because
// some doc comments of the sources are lost there.
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import * as gemmine from '../lib/index'
import { defaultRelativeMargin } from '../lib/mining/ceiling-rules'
import { jobDefaults } from '../lib/options'

const configured = ts.getParsedCommandLineOfConfigFile(
  'tsconfig.json',
  { declaration: true, emitDeclarationOnly: true },
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
)!

/** The declaration files of lib, by path; nothing is written to disk. */
function declarations(): Map<string, string> {
  const files = new Map<string, string>()
  ts.createProgram(configured.fileNames, configured.options).emit(undefined, (path, text) =>
    files.set(path, text),
  )
  return files
}

/** The types that the package exports, by name, with the checker that knows them. */
function exported() {
  const files = declarations()
  const host = ts.createCompilerHost(configured.options)
  const { readFile, fileExists, getSourceFile } = host
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.getSourceFile = (path, target) =>
    files.has(path)
      ? ts.createSourceFile(path, files.get(path)!, target, true)
      : getSourceFile(path, target)
  const entry = [...files.keys()].find((path) => path.endsWith('/dist/index.d.ts'))!
  const program = ts.createProgram([entry], { ...configured.options, noEmit: true }, host)
  const checker = program.getTypeChecker()
  const index = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!
  const named = checker.getExportsOfModule(index).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    return [symbol.name, checker.getDeclaredTypeOfSymbol(target)] as const
  })
  return { types: new Map(named), checker }
}

const { types, checker } = exported()

/** [field, its text] for the fields and methods that a user sees. */
const textsOf = (type: string) =>
  checker
    .getPropertiesOfType(types.get(type)!)
    .filter(({ name }) => !/^(__|#)/.test(name))
    .map((field) => {
      const parts = field.getDocumentationComment(checker)
      return [field.name, ts.displayPartsToString(parts).replaceAll('\n', ' ')] as const
    })

const defaultsOf: Record<string, object> = {
  AuditMinedOptions: gemmine.auditMinedDefaults,
  CeilingOptions: gemmine.mineHardNegativesDefaults,
  CoSegmentationOptions: gemmine.coSegmentationDefaults,
  ConceptHealthOptions: gemmine.conceptHealthDefaults,
  ConceptPageOptions: gemmine.conceptPageDefaults,
  DescribeConceptsOptions: gemmine.describeConceptsDefaults,
  ConsensusNmfOptions: gemmine.consensusNmfDefaults,
  CooccurrencesOptions: gemmine.cooccurrencesDefaults,
  CurEmbeddingsOptions: gemmine.curEmbeddingsDefaults,
  CommunitiesOptions: gemmine.communitiesDefaults,
  DictionaryLearningOptions: gemmine.dictionaryLearningDefaults,
  DeepSemiNmfOptions: gemmine.deepSemiNmfDefaults,
  LabelGraphOptions: gemmine.labelGraphDefaults,
  DigestTextsOptions: {},
  DownsampleOptions: gemmine.downsampleDefaults,
  FindLeakageOptions: gemmine.findLeakageDefaults,
  HierarchicalSemiNmfOptions: gemmine.hierarchicalSemiNmfDefaults,
  ChildrenOptions: gemmine.childrenDefaults,
  JobOptions: {},
  LinearImportanceOptions: gemmine.linearImportanceDefaults,
  JudgeNegativesOptions: gemmine.judgeNegativesDefaults,
  LogSumExpOptions: gemmine.logSumExpDefaults,
  MaxSimOptions: gemmine.maxSimDefaults,
  KeyNmfOptions: gemmine.keyNmfDefaults,
  KeywordMatrixOptions: gemmine.keywordMatrixDefaults,
  KmeansOptions: gemmine.kmeansDefaults,
  KnnGraphOptions: gemmine.knnGraphDefaults,
  LoadMatrixOptions: gemmine.loadMatrixDefaults,
  MergeCorpusShardsOptions: gemmine.mergeCorpusShardsDefaults,
  MemoryOptions: {},
  MinedLinesOptions: gemmine.minedLinesDefaults,
  WriteMinedParquetOptions: gemmine.minedLinesDefaults,
  WriteParquetMatrixOptions: gemmine.writeParquetMatrixDefaults,
  MineCorpusShardOptions: gemmine.mineHardNegativesDefaults,
  MineHardNegativesOptions: gemmine.mineHardNegativesDefaults,
  NeuronReuseOptions: gemmine.neuronReuseDefaults,
  NearDuplicatesOptions: gemmine.nearDuplicatesDefaults,
  NmfOptions: gemmine.nmfDefaults,
  NpzOptions: gemmine.readNpzDefaults,
  OrthogonalNmfOptions: gemmine.orthogonalNmfDefaults,
  QueueOptions: gemmine.queueDefaults,
  PrepareCorpusOptions: gemmine.prepareCorpusDefaults,
  SemanticNmfOptions: gemmine.semanticNmfDefaults,
  SemiNmfOptions: gemmine.semiNmfDefaults,
  ShiftedPpmiOptions: gemmine.shiftedPpmiDefaults,
  MutualNeighboursOptions: gemmine.mutualNeighboursDefaults,
  RangeSearchOptions: gemmine.rangeSearchDefaults,
  ReducerOptions: gemmine.reducerDefaults,
  ResizeMapsOptions: {},
  ReverseTopKOptions: gemmine.reverseTopKDefaults,
  ScorePositivesOptions: gemmine.scorePositivesDefaults,
  ScorerOptions: gemmine.scorerDefaults,
  SelectRankOptions: gemmine.selectRankDefaults,
  SemiOrthogonalNmfOptions: gemmine.semiOrthogonalNmfDefaults,
  SnmfOptions: gemmine.snmfDefaults,
  SeparableNmfOptions: gemmine.separableNmfDefaults,
  ConvexNmfOptions: gemmine.convexNmfDefaults,
  ArchetypalAnalysisOptions: gemmine.archetypalAnalysisDefaults,
  MinVolumeNmfOptions: gemmine.minVolumeNmfDefaults,
  SparseCodeOptions: gemmine.sparseCodeDefaults,
  SteeringVectorsOptions: gemmine.steeringVectorsDefaults,
  TopActivationsOptions: gemmine.topActivationsDefaults,
  TopConceptsOptions: gemmine.topConceptsDefaults,
  TopKOptions: gemmine.topKDefaults,
  TopKSyncOptions: gemmine.topKDefaults,
  TopWordsOptions: gemmine.topWordsDefaults,
  TransformOptions: {},
  InverseTransformOptions: {},
  TruncatedSvdOptions: gemmine.truncatedSvdDefaults,
  VocabularyProjectionOptions: gemmine.vocabularyProjectionDefaults,
}

const stated = (text: string) => /`?([^\s`]+)`? unless given/.exec(text)?.[1]

describe('an editor shows', () => {
  it('the options of every function', () => {
    const known = [...Object.keys(defaultsOf), 'FitOptions', 'ModelOptions', 'PairsOptions']
    const found = [...types.keys()].filter((name) => name.endsWith('Options'))
    expect(found.sort()).toEqual(known.sort())
  })

  it.each(Object.entries(defaultsOf))('a text for every field of %s', (type, defaults) => {
    const all: Record<string, unknown> = { ...jobDefaults, ...defaults }
    const texts = textsOf(type)
    expect(texts.length).toBeGreaterThan(0)
    for (const [field, text] of texts) {
      expect(text, field).toMatch(/unless given|to be given/)
      const standard = all[field]
      if (standard === undefined) continue
      const told = typeof standard === 'number' ? Number(stated(text)) : stated(text)
      expect(String(told), field).toBe(String(standard))
    }
  })

  it('the margin that is on by itself', () => {
    const texts = new Map(textsOf('MineHardNegativesOptions'))
    expect(texts.get('relativeMargin')).toContain(`${defaultRelativeMargin} for cosine and dot`)
  })

  it.each([
    'PairsOptions',
    'Stats',
    'JobStart',
    'JobEnd',
    'MinedAudit',
    'MinedNegatives',
    'JudgedNegatives',
    'JudgedCandidates',
    'ScorerProgress',
    'PairScores',
    'AnchorScores',
    'CurEmbeddings',
    'JudgementCache',
    'CandidateLists',
    'ScorerCall',
    'ScorerPair',
    'MinedCorpusShard',
    'PositiveScores',
    'TextDigests',
    'SharedTexts',
    'SharedRows',
    'DrawnRows',
    'DrawnRanks',
    'Neighbours',
    'Communities',
    'DownsampledCorpus',
    'Leakage',
    'LeakingRows',
    'Split',
    'FoundRows',
    'ReverseNeighbours',
    'MutualNeighbours',
    'LogSums',
    'MultiVectors',
    'RankedDocuments',
    'Clustering',
    'TruncatedSvd',
    'RankSelection',
    'SurveyedRank',
    'Reducer',
    'LayeredModel',
    'HierarchicalSemiNmf',
    'DeepSemiNmf',
    'ChildComponent',
    'TopActivations',
    'TopConcepts',
    'TokenContexts',
    'RowContext',
    'ConceptOverlap',
    'CodedActivations',
    'ConceptHealth',
    'CollinearPair',
    'DifferenceInMeans',
    'VocabularyProjection',
    'ProjectedTokens',
    'ProjectedVocabulary',
    'LinearHead',
    'LinearImportance',
    'Fidelity',
    'CoSegmentation',
    'Concept',
    'ConceptContext',
  ])('a text for every part of %s', (type) => {
    expect(
      textsOf(type)
        .filter(([, text]) => text === '')
        .map(([field]) => field),
    ).toEqual([])
  })
})
