import { matrixOf, gaussian, planted } from '../matrices'
import { absolutes, squaredError, squares } from '../reference/factors'
import { ringGraph, roughness } from '../reference/graphs'
import { logVolume } from '../reference/hulls'
import { logisticLoss, probabilities, totalLoss } from '../reference/losses'
import type { Matrix } from '../../lib/data/matrix'
import type { LossOptions } from '../../lib/factorization/losses'
import { archetypalAnalysis } from '../../lib/factorization/archetypal-analysis'
import { convexNmf } from '../../lib/factorization/convex-nmf'
import { dictionaryLearning } from '../../lib/factorization/dictionary-learning'
import { deepSemiNmf } from '../../lib/factorization/deep-semi-nmf'
import {
  hierarchicalSemiNmf,
  type HierarchicalSemiNmf,
} from '../../lib/factorization/hierarchical-semi-nmf'
import { minVolumeNmf } from '../../lib/factorization/min-volume-nmf'
import { models, rowSums } from '../../lib/factorization/models'
import { nmf, nmfInits } from '../../lib/factorization/nmf'
import { orthogonalNmf } from '../../lib/factorization/orthogonal-nmf'
import { semiNmf, semiNmfInits } from '../../lib/factorization/semi-nmf'
import {
  semiOrthogonalNmf,
  semiOrthogonalNmfInits,
} from '../../lib/factorization/semi-orthogonal-nmf'
import { separableNmf } from '../../lib/factorization/separable-nmf'
import { snmf } from '../../lib/factorization/snmf'
import { solvers } from '../../lib/factorization/fit-options'
import { factorizationSuite } from './factorization-suite'

const base = { rank: 5, tolerance: 0, seed: 3 }

const scaled = (X: Matrix, scale = 1): Matrix => ({
  ...X,
  data: X.data.map((value) => value * scale),
})

const mixed = gaussian(120, 33, 71)
for (const solver of solvers)
  for (const init of semiNmfInits)
    factorizationSuite({
      name: `semi-nmf, ${solver}, ${init}`,
      X: mixed,
      signedH: true,
      run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
        semiNmf(scaled(mixed, scale), { ...base, solver, init, iterations, ...more }),
    })

const { data } = planted(120, 33, 6, 72)
const positive = matrixOf(120, 33, (i, j) => Math.abs(data[i * 33 + j]!) + ((i * j) % 5) / 5)
/** Without zeros, which some losses refuse. */
const shifted = matrixOf(120, 33, (i, j) => positive.data[i * 33 + j]! + 0.1)
for (const solver of solvers)
  for (const init of nmfInits)
    // Multiplicative updates cannot leave a zero, so they are not offered the starts with zeros.
    if (!(solver === 'mu' && (init === 'nndsvd' || init === 'low-rank')))
      factorizationSuite({
        name: `nmf, ${solver}, ${init}`,
        X: positive,
        signedH: false,
        run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
          nmf(scaled(positive, scale), { ...base, solver, init, iterations, ...more }),
      })

/** The same loss of X times `scale`. */
const inUnits = ({ loss, dispersion, delta, bandwidth, ...own }: LossOptions, scale: number) => ({
  ...own,
  loss,
  ...(dispersion !== undefined && { dispersion: dispersion / scale }),
  ...(delta !== undefined && { delta: delta * scale }),
  ...(bandwidth !== undefined && { bandwidth: bandwidth * scale }),
})
for (const loss of [
  { loss: 'kullback-leibler' },
  { loss: 'itakura-saito' },
  { loss: 'beta', beta: 1.5 },
  { loss: 'poisson' },
  { loss: 'gamma' },
  { loss: 'tweedie', power: 1.4 },
  { loss: 'negative-binomial', dispersion: 0.3 },
  { loss: 'huber', delta: 0.5 },
  { loss: 'l21' },
  { loss: 'correntropy', bandwidth: 0.8 },
  { loss: 'row-correntropy', bandwidth: 4 },
] as const satisfies LossOptions[])
  factorizationSuite({
    name: `nmf, ${loss.loss}`,
    X: shifted,
    signedH: false,
    loss: (W, H) => totalLoss(shifted, W, H, loss),
    run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) =>
      nmf(scaled(shifted, scale), { ...base, ...inUnits(loss, scale), iterations, ...more }),
  })
const robust = [
  { loss: 'huber', delta: 0.5 },
  { loss: 'l21' },
  { loss: 'correntropy', bandwidth: 1.5 },
  { loss: 'row-correntropy', bandwidth: 9 },
] as const satisfies LossOptions[]
for (const solver of ['hals', 'anls-bpp'] as const)
  for (const loss of robust) {
    const options = { ...base, solver }
    factorizationSuite({
      name: `semi-nmf, ${solver}, ${loss.loss}`,
      X: mixed,
      signedH: true,
      loss: (W, H) => totalLoss(mixed, W, H, loss),
      run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) =>
        semiNmf(scaled(mixed, scale), { ...options, ...inUnits(loss, scale), iterations, ...more }),
    })
    factorizationSuite({
      name: `nmf, ${solver}, ${loss.loss}`,
      X: shifted,
      signedH: false,
      loss: (W, H) => totalLoss(shifted, W, H, loss),
      run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) =>
        nmf(scaled(shifted, scale), { ...options, ...inUnits(loss, scale), iterations, ...more }),
    })
  }
for (const solver of ['hals', 'projected-gradient'] as const)
  for (const bounds of [{ upperW: 0.5 }, { upperW: 0.25, l1H: 0.1, l2W: 0.2 }])
    factorizationSuite({
      name: `nmf, ${solver}, ${JSON.stringify(bounds)}`,
      X: positive,
      signedH: false,
      term: ({ W, H }) =>
        'l1H' in bounds ? bounds.l1H! * absolutes(H.data) + bounds.l2W! * squares(W.data) : 0,
      penalised: false,
      run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) => {
        const options = {
          ...base,
          solver,
          init: 'nndsvdar',
          ...bounds,
          iterations,
          ...more,
        } as const
        const l1H = (options.l1H ?? 0) * scale
        return nmf(scaled(positive, scale), {
          ...options,
          l1H,
          l2W: (options.l2W ?? 0) * scale ** 2,
        })
      },
    })

for (const solver of solvers)
  factorizationSuite({
    name: `nmf, ${solver}, in batches`,
    X: positive,
    signedH: false,
    monotone: false,
    penalised: false,
    run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
      nmf(scaled(positive, scale), { ...base, solver, batchSize: 32, iterations, ...more }),
  })
factorizationSuite({
  name: 'semi-nmf, in batches',
  X: mixed,
  signedH: true,
  monotone: false,
  penalised: false,
  run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
    semiNmf(scaled(mixed, scale), { ...base, batchSize: 32, iterations, ...more }),
})

const ring = ringGraph(120)
const weight = 2
factorizationSuite({
  name: 'nmf, mu, with a graph',
  X: positive,
  signedH: false,
  term: ({ W }) => weight * roughness(ring, W),
  run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) => {
    const graph = { adjacency: ring, weight: weight * scale }
    return nmf(scaled(positive, scale), { ...base, solver: 'mu', graph, iterations, ...more })
  },
})

/** Its largest entry is in [1, 2), so that a penalised run takes the same split of each scale. */
const small = scaled(mixed, 0.5)
factorizationSuite({
  name: 'semi-nmf, mu, with a graph',
  X: small,
  signedH: true,
  term: ({ W }) => weight * roughness(ring, W),
  run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) => {
    const graph = { adjacency: ring, weight: weight * scale }
    return semiNmf(scaled(small, scale), { ...base, solver: 'mu', graph, iterations, ...more })
  },
})

for (const init of semiOrthogonalNmfInits)
  factorizationSuite({
    name: `semi-orthogonal-nmf, ${init}`,
    X: mixed,
    signedH: true,
    penalised: false,
    run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
      semiOrthogonalNmf(scaled(mixed, scale), { ...base, init, iterations, ...more }),
  })

const binary = matrixOf(120, 33, (i, j) => (mixed.data[i * 33 + j]! > 0.3 * ((i + j) % 3) ? 1 : 0))
for (const init of semiOrthogonalNmfInits)
  factorizationSuite({
    name: `semi-orthogonal-nmf, logistic, ${init}`,
    X: binary,
    signedH: true,
    penalised: false,
    scales: false,
    loss: (W, H) => logisticLoss(binary, W, H),
    approximation: probabilities,
    run: (iterations, more = {}) =>
      semiOrthogonalNmf(binary, { ...base, loss: 'logistic', init, iterations, ...more }),
  })

for (const init of semiNmfInits)
  factorizationSuite({
    name: `snmf, ${init}`,
    X: mixed,
    signedH: true,
    penalised: false,
    monotone: false,
    run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
      snmf(scaled(mixed, scale), { ...base, sparsity: 0.2, init, iterations, ...more }),
  })

factorizationSuite({
  name: 'separable-nmf',
  X: mixed,
  signedH: true,
  penalised: false,
  iterates: false,
  run: (_, { scale, ...more }: { scale?: number } = {}) =>
    separableNmf(scaled(mixed, scale), { rank: base.rank, ...more }),
})

for (const init of models['convex-nmf'].inits)
  factorizationSuite({
    name: `convex-nmf, ${init}`,
    X: mixed,
    signedH: true,
    penalised: false,
    run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
      convexNmf(scaled(mixed, scale), { ...base, init, iterations, ...more }),
  })

for (const init of models['archetypal-analysis'].inits)
  for (const relaxation of [0, 0.2])
    factorizationSuite({
      name: `archetypal-analysis, ${init}, relaxation ${relaxation}`,
      X: mixed,
      signedH: true,
      penalised: false,
      run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
        archetypalAnalysis(scaled(mixed, scale), {
          ...base,
          init,
          relaxation,
          iterations,
          ...more,
        }),
    })

for (const init of models['min-volume-nmf'].inits)
  for (const sums of rowSums) {
    const options = { ...base, init, volume: 0.2, volumeOffset: 0.3, rowSums: sums }
    const offset = (0.3 * squares(positive.data)) / positive.rows
    const { W, H } = await minVolumeNmf(positive, { ...options, iterations: 0 })
    const volume = (0.2 * squaredError(positive, W, H)) / logVolume(H, offset)
    factorizationSuite({
      name: `min-volume-nmf, ${init}, ${sums}`,
      X: positive,
      signedH: false,
      penalised: false,
      term: (result) => volume * logVolume(result.H, offset),
      run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
        minVolumeNmf(scaled(positive, scale), { ...options, iterations, ...more }),
    })
  }

factorizationSuite({
  name: 'snmf, refit',
  X: mixed,
  signedH: true,
  penalised: false,
  monotone: false,
  run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
    snmf(scaled(mixed, scale), {
      ...{ ...base, sparsity: 0.2, refit: true, ...more },
      iterations: iterations - 1,
    }),
})

for (const init of models['dictionary-learning'].inits)
  factorizationSuite({
    name: `dictionary-learning, ${init}`,
    X: mixed,
    signedH: true,
    penalised: false,
    term: ({ W }) => 0.8 * absolutes(W.data) + 0.1 * squares(W.data),
    run: (iterations, { scale = 1, ...more }: { scale?: number } = {}) =>
      dictionaryLearning(scaled(mixed, scale), {
        ...{ ...base, init, iterations, ...more },
        ...{ l1W: 0.8 * scale, l2W: 0.1 },
      }),
  })

for (const init of models['orthogonal-nmf'].inits)
  factorizationSuite({
    name: `orthogonal-nmf, ${init}`,
    X: positive,
    signedH: false,
    penalised: false,
    run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
      orthogonalNmf(scaled(positive, scale), { ...base, init, iterations, ...more }),
  })

factorizationSuite({
  name: 'deep-semi-nmf',
  X: mixed,
  signedH: true,
  run: (iterations, { scale, threads, ...more }: { scale?: number; threads?: number } = {}) =>
    deepSemiNmf(scaled(mixed, scale), {
      ...{ ranks: [9, 5], fineTuneIterations: iterations, threads },
      fit: { tolerance: 0, seed: 3, iterations: 20, ...more },
    }),
})

factorizationSuite<HierarchicalSemiNmf>({
  name: 'hierarchical-semi-nmf',
  X: mixed,
  signedH: true,
  // The last level is fitted to the components of the level before, not to X.
  term: ({ levels, W, H }) =>
    squaredError(levels[0]!.H, levels[1]!.W, levels[1]!.H) - squaredError(mixed, W, H),
  penalised: false,
  run: (iterations, { scale, ...more }: { scale?: number } = {}) =>
    hierarchicalSemiNmf(scaled(mixed, scale), {
      ...{ ranks: [9, 5], fit: { tolerance: 0, seed: 3, init: 'kmeans', iterations } },
      ...more,
    }),
})
