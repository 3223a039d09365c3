// Ends the process `delay` ms after jobs were started, more than run at once; `where` says from which code.
const { load, fit, topK, control, noise } = require('./jobs.cjs')
const [delay, where] = process.argv.slice(2)

const addon = load()
const leave = () => {
  console.log(Date.now())
  process.exit(7)
}
const ignored = () => {}
const onProgress = where === 'listener' ? leave : undefined
fit(addon, { job: control(onProgress) }).catch(ignored)
fit(addon).catch(ignored)
topK(addon).catch(ignored)
const data = noise(3000 * 256)
for (let i = 0; i < 40; i++) fit(addon, { data }).catch(ignored)
if (where === 'now') leave()
if (where === 'timer') setTimeout(leave, Number(delay))
