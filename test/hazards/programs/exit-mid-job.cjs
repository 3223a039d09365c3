// Ends the process `delay` ms after the start of more jobs than can run at the same time; `where` is the code
// that ends it.
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
