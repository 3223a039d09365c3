// Chooses the texts of the demo: those of the nearest packages, else its built-in texts.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { facts } from './facts'
import { gatherPackages } from './packages'
import { factCollection, packageCollection, type Collection } from './texts'
import { TfIdf } from './tf-idf'

/** Smallest number of packages for topics: fewer packages have too few common words. */
const fewest = 20

export interface Chosen {
  readonly collection: Collection
  /** Word weights of the documents. */
  readonly tfidf: TfIdf
}

const weighed = (collection: Collection): Chosen => ({
  collection,
  tfidf: new TfIdf(collection.texts.map(({ document }) => document)),
})

/**
 * The nearest node_modules: of the working folder, else gemmine's own, else the one that contains gemmine.
 */
function nodeModules(): string | undefined {
  const places = [
    resolve('node_modules'),
    resolve(__dirname, '../../../node_modules'),
    resolve(__dirname, '../../../..'),
  ]
  return places.find((place) => place.endsWith('node_modules') && existsSync(place))
}

/** Number of texts in which both query and document have words of the vocabulary. */
function telling({ collection: { texts }, tfidf }: Chosen): number {
  const queries = tfidf.transform(texts.map(({ query }) => query))
  const hasWords = ({ indptr }: typeof queries, row: number) => indptr[row + 1]! > indptr[row]!
  return texts.filter((_, row) => hasWords(queries, row) && hasWords(tfidf.documents, row)).length
}

export async function chooseTexts(): Promise<Chosen> {
  const folder = nodeModules()
  if (folder === undefined) return weighed(factCollection(facts, 'there is no node_modules here'))
  const packages = weighed(packageCollection(await gatherPackages(folder)))
  const usable = telling(packages)
  if (usable >= fewest) return packages
  const reason = `node_modules has ${usable} packages with a README that shares words with others, and topics need ${fewest}`
  return weighed(factCollection(facts, reason))
}
