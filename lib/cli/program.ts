// The command line as a whole: its commands, its help and its errors.
import { Command } from 'commander'
import { version } from '../version'
import { auditCommand } from './audit'
import { helpOption } from './common-options'
import { conceptsCommand } from './concepts'
import { communitiesCommand } from './communities'
import { consensusCommand } from './consensus'
import { demoCommand } from './demo'
import { factorizeCommand } from './factorize'
import { infoCommand } from './info'
import { kmeansCommand } from './kmeans'
import { mergeCommand } from './merge'
import { mineCommand } from './mine'
import { nearDuplicatesCommand } from './near-duplicates'
import { rangeCommand } from './range'
import { withRemedies } from './remedies'
import { selectRankCommand } from './select-rank'
import { svdCommand } from './svd'
import { topicsCommand } from './topics'
import { topkCommand } from './topk'
import { transformCommand } from './transform'

const footer = `
gemmine COMMAND --help explains a command and shows an example.
Exit codes: 0 done, 1 faults that audit found, 2 a mistake in options or files,
3 trouble with memory, disk or device, 130 and 143 after SIGINT and SIGTERM.
`

/** The parser. It throws every failure, and prints only help and the version. */
export function gemmine(): Command {
  const program = new Command('gemmine')
    .description('Factorize matrices of embeddings, and mine hard negatives.')
    .version(version, '--version', 'show the version')
    .addHelpOption(helpOption())
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', footer)
  const commands = [
    factorizeCommand,
    selectRankCommand,
    consensusCommand,
    transformCommand,
    kmeansCommand,
    svdCommand,
    conceptsCommand,
    topicsCommand,
    topkCommand,
    rangeCommand,
    nearDuplicatesCommand,
    communitiesCommand,
    mineCommand,
    mergeCommand,
    auditCommand,
    infoCommand,
    demoCommand,
  ]
  for (const make of commands) program.addCommand(make())
  for (const command of [program, ...program.commands])
    withRemedies(command).configureOutput({ writeErr: () => {} })
  return program
}
