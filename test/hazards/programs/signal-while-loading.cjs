// Preloaded: sends a signal to this process when the command line begins to load its commands.
const Module = require('node:module')
const load = Module._load
Module._load = function (request, ...rest) {
  if (request === './run') process.kill(process.pid, process.env.EARLY_SIGNAL)
  return load.call(this, request, ...rest)
}
