/**
 * The bridge's HTTP port: health, metrics and the API. Open before the bridge starts, so that a port which is taken is
 * known before anything runs, and so that health can be asked for while the bridge opens its outbox.
 */
import { type FastifyInstance, fastify } from "fastify";
import type { Clock } from "../../protocol/bus.ts";
import { errnoOf, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/json.ts";
import { endsWithin } from "../bridge/backoff.ts";
import type { BridgeControl } from "../bridge/control.ts";
import type { BridgeEvent } from "../bridge/index.ts";
import { registerApi } from "./api.ts";
import { EventStream, typesOf } from "./event-stream.ts";
import { guard, securityHeaders } from "./guard.ts";
import { type Health, healthOf, isReady } from "./health.ts";
import { BridgeMetrics } from "./metrics.ts";
import { problem, type Refusal, refusalOf, UNEXPECTED } from "./problem.ts";
import { healthJson } from "./views.ts";

/** A service with three PEM texts in it is far smaller. */
const BODY_MAX = 1024 * 1024;
/** For a request to arrive whole. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Of all kinds: each takes a file descriptor that modules need. */
const CONNECTIONS_MAX = 256;
/** A service's name in a path. */
const PARAM_MAX = 1024;
const CLOSE_MS = 500;

export interface PanelOptions {
  /** `127.0.0.1:8080`, `localhost:0`, `[::1]:8080`: an address of this machine alone. */
  readonly listen: string;
  readonly clock: Clock;
  /** Is told what nobody foresaw; the client is not. */
  readonly onFailure: (error: unknown) => void;
}

export interface Panel {
  /** Where it listens: `127.0.0.1:8080`. */
  readonly address: string;
  /** From the bridge's first event on. */
  event(event: BridgeEvent): void;
  /** The bridge runs. */
  serve(control: BridgeControl): void;
  /** The bridge stops: it is not ready any more, and nothing is changed any more. */
  stopping(): void;
  /** Ends every connection; within half a second. Further calls do nothing more. */
  close(): Promise<void>;
}

/** @throws SakuraError PORT_BUSY, PORT_DENIED or PORT_FAILED */
export async function openPanel({ listen, clock, onFailure }: PanelOptions): Promise<Panel> {
  const app = createApp(onFailure);
  const metrics = new BridgeMetrics(clock);
  const events = new EventStream(clock);
  const bridge = new BridgeHolder();
  registerHealth(app, bridge);
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text(bridge.current)),
  );
  registerApi(app, { control: () => bridge.control(), clock });
  // No HEAD: it would hold a reader's place and read nothing.
  app.get("/api/events", { exposeHeadRoute: false }, (request, reply) => {
    const types = typesOf(request.query);
    events.makeRoom();
    reply.hijack();
    events.add(reply.raw, types, securityHeaders);
  });
  const address = await bind(app, listen);
  let closed: Promise<unknown> | undefined;
  return {
    address,
    event(event) {
      metrics.event(event);
      events.event(event);
    },
    serve: (control) => bridge.set(control),
    stopping: () => bridge.stop(),
    async close() {
      events.close();
      closed ??= endsWithin(clock, CLOSE_MS, app.close());
      await closed;
    },
  };
}

function createApp(onFailure: (error: unknown) => void): FastifyInstance {
  const answer = (error: unknown): Refusal => {
    const refusal = refusalOf(error);
    if (refusal) return refusal;
    onFailure(error);
    return UNEXPECTED;
  };
  const app = fastify({
    logger: false,
    bodyLimit: BODY_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PARAM_MAX },
    // A URL that cannot be read gets as far as no hook.
    frameworkErrors: (error, _request, { raw }) => {
      const { status, body } = answer(error);
      raw.writeHead(status, { ...securityHeaders, "content-type": "application/json" }).end(JSON.stringify(body));
    },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  guard(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, async (_request: unknown, body: string) =>
    // An empty body with this type is what some clients send with a POST that needs none.
    body === "" ? undefined : parseJson(body),
  );
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = answer(error);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request) => {
    throw problem(404, "not-found", `there is no ${request.method} ${request.url.split("?")[0] ?? ""} here`);
  });
  return app;
}

function registerHealth(app: FastifyInstance, bridge: BridgeHolder): void {
  for (const path of ["/health", "/health/ready"]) {
    app.get(path, async (_request, reply) => {
      const { health, current } = bridge;
      const text = healthJson(health, current?.stats());
      return reply
        .code(isReady(health) ? 200 : 503)
        .type("application/json; charset=utf-8")
        .send(text);
    });
  }
  // That it answers is the answer. What restarting would not mend is no matter of it.
  app.get("/health/live", async () => ({ status: "ok" }));
}

/** The bridge, while there is one. */
class BridgeHolder {
  #control: BridgeControl | undefined;
  #stopping = false;

  get current(): BridgeControl | undefined {
    return this.#control;
  }

  get health(): Health {
    if (this.#stopping) return "stopping";
    return this.#control ? healthOf(this.#control.stats()) : "starting";
  }

  set(control: BridgeControl): void {
    this.#control = control;
  }

  stop(): void {
    this.#stopping = true;
  }

  /** @throws SakuraError REFUSED */
  control(): BridgeControl {
    if (this.#stopping) throw problem(503, "closing", "the bridge stops");
    if (!this.#control) throw problem(503, "starting", "the bridge starts: try again in a moment");
    return this.#control;
  }
}

async function bind(app: FastifyInstance, listen: string): Promise<string> {
  const [, host = "", port = ""] = /^\[?([^[\]]*)\]?:(\d+)$/.exec(listen) ?? [];
  try {
    await app.listen({ host, port: Number(port) });
  } catch (cause) {
    await app.close();
    throw portError(listen, cause);
  }
  const bound = app.server.address();
  const taken = typeof bound === "object" && bound !== null ? bound.port : port;
  return `${host.includes(":") ? `[${host}]` : host}:${taken}`;
}

function portError(listen: string, cause: unknown): SakuraError {
  const context = { listen };
  switch (errnoOf(cause)) {
    case "EADDRINUSE":
      return new SakuraError(
        "PORT_BUSY",
        `http.listen ${listen}: another program listens there, maybe another bridge: end it, or choose another port`,
        { context, cause },
      );
    case "EACCES":
      return new SakuraError("PORT_DENIED", `http.listen ${listen}: not permitted; take a port from 1024 on`, {
        context,
        cause,
      });
    default:
      return new SakuraError("PORT_FAILED", `http.listen ${listen}: cannot listen there: ${reasonOf(cause)}`, {
        context,
        cause,
      });
  }
}
