/** The outbox of a bridge that runs, over its HTTP port. */
import { z } from "zod";
import { errnoOf, isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { type Json, parseJson } from "../../protocol/json.ts";
import type { OutboxDesk } from "./outbox-desk.ts";

const TIMEOUT_MS = 10_000;

const lane = {
  waiting: z.number(),
  waitingBytes: z.number(),
  oldestAt: z.string().optional(),
  deadLetters: z.number(),
};
const statusSchema = z.object({
  outbox: z.union([
    z.object({ state: z.literal("ok") }),
    z.object({ state: z.enum(["low-space", "failed"]), reason: z.string() }),
  ]),
  services: z.array(z.object({ name: z.string(), ...lane })),
  orphans: z.array(z.object({ service: z.string(), ...lane })),
});
const lettersSchema = z.object({
  deadLetters: z.array(
    z.object({
      id: z.string(),
      module: z.string(),
      setAsideAt: z.string(),
      reason: z.string(),
      message: z.custom<Json>((value) => value !== undefined),
    }),
  ),
});
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** @param address `127.0.0.1:8080` */
export function httpDesk(address: string, signal: AbortSignal): OutboxDesk {
  const ask = async <T>(schema: z.ZodType<T>, path: string, method = "GET", body?: object): Promise<T> => {
    const answer = await request(address, path, { method, body, signal });
    return read(schema, answer, address);
  };
  const letters = (service: string): string => `/api/services/${encodeURIComponent(service)}/dead-letters`;
  return {
    async status() {
      const { outbox, services, orphans } = await ask(statusSchema, "/api/status");
      return {
        state: outbox,
        lanes: [...services.map(({ name, ...rest }) => ({ service: name, ...rest })), ...orphans],
      };
    },
    async deadLetters(service, { after, limit }) {
      const query = new URLSearchParams({ limit: String(limit), ...(after !== undefined && { after }) });
      return (await ask(lettersSchema, `${letters(service)}?${query}`)).deadLetters;
    },
    async retry(service, ids) {
      return (await ask(z.object({ retried: z.number() }), `${letters(service)}/retry`, "POST", { ids })).retried;
    },
    async delete(service, ids) {
      return (await ask(z.object({ deleted: z.number() }), letters(service), "DELETE", { ids })).deleted;
    },
    close: () => Promise.resolve(),
  };
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

async function request(
  address: string,
  path: string,
  { method, body, signal }: { method: string; body: object | undefined; signal: AbortSignal },
): Promise<Answer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(`http://${address}${path}`, {
      method,
      signal: AbortSignal.any([signal, timeout]),
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch (cause) {
    if (signal.aborted) throw new SakuraError("ABORTED", "stopped", { cause });
    if (timeout.aborted) {
      throw new SakuraError("TIMEOUT", `the bridge at ${address} did not answer within ${TIMEOUT_MS / 1000} s`, {
        cause,
      });
    }
    const reason = cause instanceof Error ? cause.cause : undefined;
    if (errnoOf(reason) === "ECONNREFUSED") {
      throw new SakuraError("PORT_NOT_FOUND", `no bridge listens on ${address}`, { context: { address }, cause });
    }
    throw new SakuraError("PORT_FAILED", `the bridge at ${address} cannot be asked: ${reasonOf(reason ?? cause)}`, {
      cause,
    });
  }
}

function read<T>(schema: z.ZodType<T>, { ok, status, text }: Answer, address: string): T {
  const value = jsonOf(text);
  if (ok) {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
  }
  const refusal = errorSchema.safeParse(value);
  if (ok || !refusal.success) {
    throw new SakuraError("PORT_FAILED", `what answers at ${address} is no bridge of this version (HTTP ${status})`);
  }
  const { code, message } = refusal.data.error;
  if (status === 400 || status === 404) throw new SakuraError("INVALID_ARGUMENT", message);
  throw new SakuraError("REFUSED", `the bridge refuses: ${message}`, { context: { reason: code } });
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (isSakuraError(error, "INVALID_MESSAGE")) return undefined;
    throw error;
  }
}
