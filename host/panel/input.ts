/** What comes in over HTTP, checked at the border. */
import { z } from "zod";
import type { Json } from "../../protocol/json.ts";
import { pathText } from "../../protocol/message.ts";
import { awsIotService } from "../config/schema.ts";
import { problem } from "./problem.ts";

/** A key may be anything, a pasted secret too. */
const KEY_SHOWN_MAX = 40;

/** @throws SakuraError INVALID_ARGUMENT with the path of what is wrong */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): asserts value is z.input<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return;
  const issue = result.error.issues.find(({ code }) => code === "unrecognized_keys") ?? result.error.issues[0];
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = pathText([...(issue?.path ?? []), ...unknown.filter((key) => key.length <= KEY_SHOWN_MAX)]);
  const message = issue?.message ?? "is not valid";
  throw problem(400, undefined, `${path || "the body"}: ${message}`, path || undefined);
}

/** A new service: its fields as the bridge's file has them. */
export const newService = awsIotService;

/** Some of a service's fields. */
export const serviceChanges = awsIotService.partial();

/** JSON knows no undefined: `null` puts a field back to its default. */
export function withoutNulls(body: Json | undefined): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, value ?? undefined]));
}

const IDS_MAX = 10_000;

export const deadLetterIds = z.strictObject({
  ids: z.union([z.literal("all"), z.array(z.string().min(1)).min(1).max(IDS_MAX)], {
    error: 'must be a list of ids, or "all"',
  }),
});

export const PAGE_MAX = 1_000;
const PAGE_DEFAULT = 100;

/** A query's values are text. */
const limit = z.string().regex(/^\d{1,4}$/, `must be a number from 1 to ${PAGE_MAX}`);

const deadLetterPage = z.strictObject({ after: z.string().min(1).optional(), limit: limit.optional() });

export function pageOf(query: unknown): { readonly after?: string | undefined; readonly limit: number } {
  checked(deadLetterPage, query);
  const size = query.limit === undefined ? PAGE_DEFAULT : Number(query.limit);
  if (size < 1 || size > PAGE_MAX) {
    throw problem(400, undefined, `limit: must be a number from 1 to ${PAGE_MAX}`, "limit");
  }
  return { after: query.after, limit: size };
}

const removal = z.strictObject({
  discard: z.enum(["true", "false"], { error: "must be true or false" }).optional(),
});

export function discardOf(query: unknown): boolean {
  checked(removal, query);
  return query.discard === "true";
}
