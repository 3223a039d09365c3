// The exports of the package for searches and mining.
export type { Metric } from './metric'
export type { SelfRows } from './self-rows'
export {
  prepareCorpus,
  prepareCorpusDefaults,
  PreparedCorpus,
  type CorpusInput,
  type PrepareCorpusOptions,
} from './prepare-corpus'
export { topK, topKDefaults, type TopKOptions, type TopKOutputs } from './top-k'
export { mostSyncProducts, topKSync, type TopKSyncOptions } from './top-k-sync'
export { Neighbours, type Id, type Neighbour, type NeighboursJson } from './neighbours'
export { prepareRowSet, RowSet, type RowSetInput } from './row-set'
export type { RowChoiceInput } from './row-choice'
export { estimateMining, estimateTopK, type TriedMining, type SearchShape } from './estimate'
export {
  reverseTopK,
  reverseTopKDefaults,
  type ReverseNeighbours,
  type ReverseTopKOptions,
} from './reverse-top-k'
export {
  mutualNeighbours,
  mutualNeighboursDefaults,
  type MutualNeighbours,
  type MutualNeighboursOptions,
} from './mutual-neighbours'
export {
  rangeSearch,
  rangeSearchDefaults,
  type FoundRows,
  type RangeSearchOptions,
} from './range-search'
export {
  nearDuplicates,
  nearDuplicatesDefaults,
  type NearDuplicatesOptions,
} from './near-duplicates'
export {
  communities,
  communitiesDefaults,
  type Communities,
  type CommunitiesOptions,
} from './communities'
export {
  knnGraph,
  knnGraphDefaults,
  type KnnEdges,
  type KnnGraphOptions,
  type KnnWeights,
} from './knn-graph'
export {
  downsample,
  downsampleDefaults,
  type DownsampledCorpus,
  type DownsampleOptions,
  type Run,
} from './downsample'
export {
  findLeakage,
  findLeakageDefaults,
  type FindLeakageOptions,
  type Leakage,
  type LeakingPairs,
  type LeakingRows,
  type Split,
} from './find-leakage'
export { logSumExp, logSumExpDefaults, type LogSumExpOptions, type LogSums } from './log-sum-exp'
export {
  maxSim,
  maxSimDefaults,
  type MaxSimOptions,
  type MultiVectors,
  type RankedDocuments,
} from './max-sim'
export { mineHardNegatives } from './mine-hard-negatives'
export { mineHardNegativesDefaults, type MineHardNegativesOptions } from './mining-options'
export type { MiningSweep, SweptRules } from './mining-sweep'
export type { MinedShard, QueryShard } from './query-shard'
export { judgeNegatives } from './judge-negatives'
export { judgeNegativesDefaults, type JudgeNegativesOptions } from './judge-options'
export {
  scorerDefaults,
  type JudgementCache,
  type ScorerOptions,
  type ScorerProgress,
} from './scorer-options'
export { scorePairs, type PairScores } from './score-pairs'
export {
  curEmbeddings,
  curEmbeddingsDefaults,
  type AnchorScores,
  type CurEmbeddings,
  type CurEmbeddingsOptions,
  type ScoreMatrix,
} from './cur-embeddings'
export { outcomeNames, type Outcome } from './judge-rules'
export type { CandidateLists } from './judge-source'
export {
  JudgedNegatives,
  type JudgedCandidates,
  type JudgedNegativesJson,
} from './judged-negatives'
export { NegativeLists, type NegativeListJson, type NegativeListsJson } from './negative-lists'
export type { Scorer, ScorerAnswer, ScorerCall, ScorerPair } from './scorer-answers'
export { mergeJudged } from './merge-judged'
export { mergeMined } from './merge-mined'
export {
  auditMined,
  auditMinedDefaults,
  type AuditMinedOptions,
  type MinedAudit,
} from './audit-mined'
export type { AuditExample, MinedFault } from './audit-findings'
export {
  mergePositiveScores,
  scorePositives,
  scorePositivesDefaults,
  type PositiveScores,
  type ScorePositivesOptions,
} from './score-positives'
export type { CorpusRange } from './corpus-shard'
export {
  digestTexts,
  mergeTextDigests,
  type DigestTextsOptions,
  type SharedTexts,
  type TextDigests,
} from './text-digests'
export type { SharedRows } from './shared-rows'
export type { CorpusShardRows, CorpusStream } from './corpus-stream'
export {
  mineCorpusShard,
  type MinedCorpusShard,
  type MineCorpusShardOptions,
  type ShardIdentity,
} from './mine-corpus-shard'
export { rankDrawnRows, type DrawnRanks, type DrawnRows } from './drawn-rows'
export {
  drawnRows,
  mergeCorpusShards,
  mergeCorpusShardsDefaults,
  type MergeCorpusShardsOptions,
} from './merge-corpus-shards'
export type { CeilingOptions, Ceilings } from './ceiling-rules'
export { MinedNegatives, type MinedNegativesJson } from './mined-negatives'
export type { LabeledList, MiningStatistics, NTuple, Triplet } from './negative-lists'
export type { Distribution } from './distribution'
