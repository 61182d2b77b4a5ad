// Starts Bluesky's own server (@atproto/pds) on loopback: PDS_PACKAGE names the folder in which it is installed.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(pathToFileURL(`${process.env.PDS_PACKAGE}/`))
const { PDS, envToCfg, envToSecrets, readEnv } = require('@atproto/pds')
const environment = readEnv()
const pds = await PDS.create(envToCfg(environment), envToSecrets(environment))
const listen = pds.app.listen.bind(pds.app)
pds.app.listen = (port) => listen(port, '127.0.0.1')
await pds.start()
console.log('ready')
