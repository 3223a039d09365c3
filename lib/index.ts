import './requirements'
export { fromRows, fromRowsAsync } from './data/matrix'
export type {
  DenseData,
  DenseMatrix,
  ElementType,
  Float16Data,
  Matrix,
  MatrixFile,
  MatrixInput,
  NdArrayLike,
  TensorLike,
} from './data/matrix'
export type { SparseMatrix } from './data/sparse'
export type { Descriptor } from './data/descriptor'
export type { SourceInput } from './data/source'
export type { RowLists, RowListsInput } from './data/row-lists'
export {
  closeMatrix,
  loadNpy,
  loadNpyDefaults,
  openNpy,
  readInt32Npy,
  readNpy,
  writeNpy,
  type WritableArray,
} from './data/npy'
export { readNpz, readNpzDefaults, type NpzOptions } from './data/npz'
export { readMatrixMarket } from './data/matrix-market'
export { loadMatrix, loadMatrixDefaults, type LoadMatrixOptions } from './data/matrix-files'
export { readSafetensors, writeSafetensors, type Tensor, type Tensors } from './data/safetensors'
export {
  minedLines,
  minedLinesDefaults,
  rejectedLines,
  ruleNames,
  writeLines,
  type MinedLinesOptions,
  type Rejected,
  type RuleName,
} from './data/mined-lines'
export type { Mined, MinedFormat, Word, Words } from './data/mined-layouts'
export { writeMinedParquet, type WriteMinedParquetOptions } from './data/parquet/mined-parquet'
export {
  writeParquetMatrix,
  writeParquetMatrixDefaults,
  type WriteParquetMatrixOptions,
} from './data/parquet/write-matrix'
export { readIds, readTexts, type Side } from './data/ids-and-texts'
export { readPairs, readPairsDefaults, type Pairs, type PairsOptions } from './data/pairs'
export {
  GemmineError,
  isMistake,
  type GemmineErrorCode,
  type Mistake,
  type MistakeError,
} from './errors'
export type { AbortSignalLike } from './cancellation'
export type { DeviceName } from './device'
export type { JobOptions, MemoryOptions, Overrides, Progress } from './options'
export { info, type Info } from './info'
export { configureQueue, drain, stats, type Stats } from './service'
export { queueDefaults, type JobEnd, type JobStart, type QueueOptions } from './jobs'
export type { NativeRejected as RejectedCandidates } from './native'
export {
  FactorizationModel,
  type Codes,
  type InverseTransformOptions,
  type ModelName,
  type ModelOptions,
  type TransformOptions,
} from './factorization/factorization-model'
export { Factorization, type Convergence } from './factorization/fit'
export { estimateFactorization, type FactorizationShape } from './factorization/estimate'
export type { Estimate } from './estimate'
export type {
  Acceleration,
  FactorOutputs,
  FitOptions,
  GivenFactors,
  Solver,
} from './factorization/fit-options'
export type { Loss, Missing } from './factorization/entry-options'
export {
  semiNmf,
  semiNmfDefaults,
  type SemiNmfInit,
  type SemiNmfOptions,
} from './factorization/semi-nmf'
export { nmf, nmfDefaults, type NmfInit, type NmfOptions } from './factorization/nmf'
export type { Graph } from './factorization/graph'
export {
  semiOrthogonalNmf,
  semiOrthogonalNmfDefaults,
  type SemiOrthogonalNmfLoss,
  type SemiOrthogonalNmfInit,
  type SemiOrthogonalNmfOptions,
} from './factorization/semi-orthogonal-nmf'
export {
  separableNmf,
  separableNmfDefaults,
  type SeparableNmf,
  type SeparableNmfOptions,
} from './factorization/separable-nmf'
export {
  convexNmf,
  convexNmfDefaults,
  type CombinedFactorization,
  type ConvexNmfInit,
  type ConvexNmfOptions,
} from './factorization/convex-nmf'
export {
  archetypalAnalysis,
  archetypalAnalysisDefaults,
  type ArchetypalAnalysisInit,
  type ArchetypalAnalysisOptions,
} from './factorization/archetypal-analysis'
export {
  minVolumeNmf,
  minVolumeNmfDefaults,
  type MinVolumeNmfInit,
  type MinVolumeNmfOptions,
} from './factorization/min-volume-nmf'
export type { RowNorm, RowSums } from './factorization/models'
export { snmf, snmfDefaults, type SnmfInit, type SnmfOptions } from './factorization/snmf'
export {
  dictionaryLearning,
  dictionaryLearningDefaults,
  type DictionaryLearningInit,
  type DictionaryLearningOptions,
} from './factorization/dictionary-learning'
export { sparseCode, sparseCodeDefaults, type SparseCodeOptions } from './factorization/sparse-code'
export {
  hierarchicalSemiNmf,
  HierarchicalSemiNmf,
  hierarchicalSemiNmfDefaults,
  type HierarchicalSemiNmfOptions,
  type LayeredFit,
  type LevelModel,
} from './factorization/hierarchical-semi-nmf'
export {
  deepSemiNmf,
  DeepSemiNmf,
  deepSemiNmfDefaults,
  type DeepSemiNmfOptions,
} from './factorization/deep-semi-nmf'
export { labelGraph, labelGraphDefaults, type LabelGraphOptions } from './factorization/label-graph'
export {
  childrenDefaults,
  LayeredModel,
  type ChildComponent,
  type ChildrenOptions,
  type LayeredName,
  type LayerOption,
} from './factorization/layered-model'
export {
  orthogonalNmf,
  orthogonalNmfDefaults,
  type OrthogonalNmfInit,
  type OrthogonalNmfOptions,
} from './factorization/orthogonal-nmf'
export {
  truncatedSvd,
  truncatedSvdDefaults,
  type TruncatedSvd,
  type TruncatedSvdOptions,
} from './factorization/truncated-svd'
export { kmeans, kmeansDefaults, type Clustering, type KmeansOptions } from './factorization/kmeans'
export {
  selectRank,
  selectRankDefaults,
  type Criterion,
  type RankRange,
  type RankSelection,
  type SelectRankOptions,
  type SurveyedRank,
} from './factorization/select-rank'
export type { Penalties } from './factorization/penalties'
export {
  fitReducer,
  reducerDefaults,
  type Reducer,
  type ReducerName,
  type ReducerOptions,
} from './concepts/reducer'
export type { Activations, CodesInput, FloatTensor } from './concepts/tensor'
export type { CodedActivations } from './concepts/coded-activations'
export {
  topActivations,
  topActivationsDefaults,
  topConcepts,
  topConceptsDefaults,
  type TopActivations,
  type TopActivationsOptions,
  type TopConcepts,
  type TopConceptsOptions,
} from './concepts/top-activations'
export {
  contextOf,
  readContexts,
  type Contexts,
  type RowContext,
  type TokenContexts,
} from './concepts/contexts'
export {
  conceptOverlap,
  neuronReuse,
  neuronReuseDefaults,
  type ConceptOverlap,
  type NeuronReuseOptions,
} from './concepts/overlap'
export {
  conceptHealth,
  conceptHealthDefaults,
  type CollinearPair,
  type ConceptHealth,
  type ConceptHealthOptions,
} from './concepts/concept-health'
export { differenceInMeans, type DifferenceInMeans } from './concepts/difference-in-means'
export {
  steeringVectors,
  steeringVectorsDefaults,
  type SteeringVectorsOptions,
} from './concepts/directions'
export {
  vocabularyProjection,
  vocabularyProjectionDefaults,
  type ProjectedTokens,
  type VocabularyProjection,
  type VocabularyProjectionOptions,
} from './concepts/vocabulary-projection'
export {
  linearImportance,
  linearImportanceDefaults,
  type LinearHead,
  type LinearImportance,
  type LinearImportanceOptions,
  type Pooling,
} from './concepts/linear-importance'
export {
  consensusNmf,
  consensusNmfDefaults,
  type ConsensusNmf,
  type ConsensusNmfOptions,
} from './concepts/consensus-nmf'
export { fidelity, type Fidelity } from './concepts/fidelity'
export {
  coSegmentation,
  coSegmentationDefaults,
  resizeMaps,
  type CoSegmentation,
  type CoSegmentationOptions,
  type ResizeMapsOptions,
} from './concepts/maps'
export {
  describeConcepts,
  describeConceptsDefaults,
  type Concept,
  type ConceptContext,
  type DescribeConceptsOptions,
  type ProjectedVocabulary,
} from './concepts/describe-concepts'
export { conceptPage, conceptPageDefaults, type ConceptPageOptions } from './concepts/concept-page'
export {
  cooccurrences,
  cooccurrencesDefaults,
  shiftedPpmi,
  shiftedPpmiDefaults,
  type CooccurrencesOptions,
  type ShiftedPpmiOptions,
} from './topics/semantics'
export {
  semanticNmf,
  semanticNmfDefaults,
  type SemanticNmf,
  type SemanticNmfOptions,
} from './topics/semantic-nmf'
export { keywordMatrix, keywordMatrixDefaults, type KeywordMatrixOptions } from './topics/keywords'
export { keyNmf, keyNmfDefaults, type KeyNmf, type KeyNmfOptions } from './topics/key-nmf'
export {
  topicDiversity,
  topicUbiquity,
  topWords,
  topWordsDefaults,
  type TopicUbiquity,
  type TopWordsOptions,
} from './topics/reading'
export type { Judgement, Verdict } from './data/judgement-lines'
export * from './mining/index'
