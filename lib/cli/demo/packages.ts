import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoText } from './texts'

/** The folders of a `node_modules`, those of scopes included. */
async function packageFolders(root: string): Promise<string[]> {
  const folders: string[] = []
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue
    const path = join(root, entry.name)
    if (entry.name.startsWith('@')) folders.push(...(await packageFolders(path)))
    else folders.push(path)
  }
  return folders
}

/**
 * The prose of a README, without code, addresses, badges and markup, because these are similar in most
 * packages.
 */
export const prose = (markdown: string) =>
  markdown
    .replace(/```[\s\S]*?```/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\s*\[[^\]]*\]:.*$/gm, ' ')
    .replace(/https?:\S+/g, ' ')
    .replace(/`[^`]*`/g, ' ')

async function packageTexts(folder: string): Promise<DemoText | undefined> {
  try {
    const { name, description } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    ) as Record<string, unknown>
    const file = (await readdir(folder)).find((entry) =>
      /^readme(\.(md|markdown|txt))?$/i.test(entry),
    )
    if (typeof name !== 'string' || typeof description !== 'string' || !file) return undefined
    return {
      name,
      query: prose(description),
      document: prose(await readFile(join(folder, file), 'utf8')),
    }
  } catch {
    // A folder without readable files of a package is skipped.
    return undefined
  }
}

/**
 * The packages below a `node_modules` with a description (the query) and a README (the document), in the
 * order of their names, each name once.
 */
export async function gatherPackages(root: string): Promise<DemoText[]> {
  const found = new Map<string, DemoText>()
  for (const folder of await packageFolders(root)) {
    const texts = await packageTexts(folder)
    if (texts && texts.document.length > 200) found.set(texts.name, texts)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
