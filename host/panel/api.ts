/** What is under /api: a running bridge seen and changed. Bodies and answers are JSON, 64-bit integers exact. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../protocol/bus.ts";
import type { Json } from "../../protocol/json.ts";
import { type DownlinkMessage, downlinkFromJson } from "../../protocol/message.ts";
import type { BridgeControl } from "../bridge/control.ts";
import { pause } from "../clock.ts";
import { checked, deadLetterIds, discardOf, newService, pageOf, serviceChanges, withoutNulls } from "./input.ts";
import { problem } from "./problem.ts";
import { deadLettersJson, servicesJson, statusJson, waitingJson } from "./views.ts";

/** How long an answer may take; what is not decided by then goes on, and its outcome is among the events. */
const SEND_WAIT_MS = 10_000;

export interface ApiParts {
  /** @throws SakuraError REFUSED while there is no bridge to ask */
  readonly control: () => BridgeControl;
  readonly clock: Clock;
}

interface Named {
  Params: { name: string };
}

export function registerApi(app: FastifyInstance, parts: ApiParts): void {
  const { control } = parts;
  app.get("/api/status", async (_request, reply) => json(reply, statusJson(control().stats())));
  app.get("/api/downlinks", async (_request, reply) => json(reply, waitingJson(control().waitingDownlinks())));
  app.post("/api/reload", async (_request, reply) => json(reply, JSON.stringify(await control().reload())));
  registerServices(app, control);
  registerDeadLetters(app, control);
  app.post<{ Params: { id: string }; Body: Json | undefined }>("/api/modules/:id/send", async (request, reply) => {
    const delivered = await send(parts, downlinkOf(request.params.id, request.body));
    return json(reply.code(delivered ? 200 : 202), JSON.stringify({ status: delivered ? "delivered" : "waiting" }));
  });
}

function registerServices(app: FastifyInstance, control: () => BridgeControl): void {
  app.get("/api/services", async (_request, reply) => json(reply, servicesJson(control().services())));
  app.post("/api/services", async ({ body }, reply) => {
    checked(newService, body);
    await control().createService(body);
    return reply.code(201).send();
  });
  app.patch<Named & { Body: Json | undefined }>("/api/services/:name", async (request, reply) => {
    const changes = withoutNulls(request.body);
    checked(serviceChanges, changes);
    await control().editService(serviceOf(control(), request), changes);
    return reply.code(204).send();
  });
  app.delete<Named>("/api/services/:name", async (request, reply) => {
    const discard = discardOf(request.query);
    await control().removeService(serviceOf(control(), request), { discard });
    return reply.code(204).send();
  });
  app.post<Named>("/api/services/:name/retry", async (request, reply) => {
    control().retry(serviceOf(control(), request));
    return reply.code(204).send();
  });
}

function registerDeadLetters(app: FastifyInstance, control: () => BridgeControl): void {
  const path = "/api/services/:name/dead-letters";
  app.get<Named>(path, async (request, reply) => {
    const page = pageOf(request.query);
    const letters = await control().deadLetters(serviceOf(control(), request), page);
    return json(reply, deadLettersJson(letters, page.limit));
  });
  app.post<Named>(`${path}/retry`, async (request, reply) => {
    const { body } = request;
    checked(deadLetterIds, body);
    const retried = await control().retryDeadLetters(serviceOf(control(), request), body.ids);
    return json(reply, JSON.stringify({ retried }));
  });
  app.delete<Named>(path, async (request, reply) => {
    const { body } = request;
    checked(deadLetterIds, body);
    const deleted = await control().deleteDeadLetters(serviceOf(control(), request), body.ids);
    return json(reply, JSON.stringify({ deleted }));
  });
}

function json(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(text);
}

/** One that is there, or one that is gone and whose messages are kept. @throws SakuraError INVALID_ARGUMENT, for a 404 */
function serviceOf(control: BridgeControl, { params }: FastifyRequest<Named>): string {
  const { name } = params;
  const { services, orphans } = control.stats();
  if (services.some((one) => one.name === name) || orphans.some(({ service }) => service === name)) return name;
  throw problem(404, "no-such-service", `there is no service ${name}`);
}

/** A downlink message as it would come from a subscribe topic; its module may be left out, as the path names it. */
function downlinkOf(module: string, body: Json | undefined): DownlinkMessage {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw problem(400, undefined, "the body must be a downlink message");
  }
  const message = downlinkFromJson({ ...body, module: body["module"] ?? module });
  if (message.module === module) return message;
  throw problem(400, undefined, `module: is not ${module}, which the path names`, "module");
}

/** Resolves with whether the module has it already. */
async function send({ control, clock }: ApiParts, message: DownlinkMessage): Promise<boolean> {
  const bridge = control();
  if (!bridge.stats().links.some(({ module }) => module === message.module)) {
    throw problem(404, "no-such-module", `there is no module ${message.module}`);
  }
  const answered = new AbortController();
  const sent = bridge.send(message).then(() => true);
  const waited = pause(clock, SEND_WAIT_MS, answered.signal).then(() => false);
  try {
    // How it ends later is the events' to tell.
    return await Promise.race([sent, waited]);
  } finally {
    answered.abort();
  }
}
