import { administratorLogin, ensureAdministrator } from '../authentication/administrator.ts'
import { listProperty } from '../config/properties.ts'
import { httpServer } from '../http/server.ts'
import { watchClock } from '../kit/clock.ts'
import { type OpenOptions, openApplication } from './application.ts'
import { onlyServer } from './only-server.ts'

export interface ServerOptions extends Omit<OpenOptions, 'log'> {
  readonly log: Parameters<typeof httpServer>[0]['log']
  readonly host: string
  /** undefined: the property `openidm.port.http`, or 8080. */
  readonly port: number | undefined
  /** Called once with the administrator's first password. */
  readonly announce: (username: string, password: string) => void
}

/** The application with its REST interface; resolves when it accepts requests. */
export async function openServer(options: ServerOptions) {
  await using opened = new AsyncDisposableStack()
  const { log, environment, announce, host } = options
  const application = opened.use(
    await openApplication({ mayBeEmpty: true, ...options, log: (level, message) => log[level](message) }),
  )
  const { repository, resources, audit, events } = application
  opened.use(await onlyServer(application.locks, (level, message) => log[level](message)))
  if (application.project.files.length === 0)
    log.info(
      'the project has no configuration yet: give it one over REST (PUT config/…), or write files to conf/',
    )
  opened.use(watchClock((level, message) => log[level](message)))
  await ensureAdministrator({ settings: repository.settings, environment, announce })
  const administrator = administratorLogin(repository.settings)
  const logins = () => {
    const { modules, ...others } = application.logins
    return { ...others, modules: [administrator, ...modules] }
  }
  const authentication = { logins, sessions: application.sessions }
  const contextPath = application.project.property('openidm.context.path')?.toString()
  const trustedProxies = listProperty(application.project.property, 'syncline.trusted.proxies')
  const server = opened.use(
    httpServer({
      resources,
      authentication,
      events,
      log,
      contextPath,
      trustedProxies,
      observer: audit.observer,
    }),
  )
  // Before the server: a client may be waiting for the answer to a run.
  opened.defer(() => application.reconciliations.close())
  const port = options.port ?? Number(application.project.property('openidm.port.http') ?? 8080)
  opened.use(await application.followFiles())
  const { url } = await server.listen({ host, port })
  const recovered = application.start()
  opened.defer(() => recovered)
  const closing = opened.move()
  return { url, application, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}
