/**
 * The platform's messages (aws-iot §1): what a module sends up as JSON, what comes down to it, both with exact 64-bit
 * integers and float32 values in their shortest form.
 */
import { z } from "zod";
import {
  CHANNEL_MAX,
  type ChannelEntry,
  type ChannelType,
  type ChannelValue,
  channelTypes,
  isChannelType,
  MESSAGE_CHANNELS_MAX,
  valueProblem,
} from "./channel.ts";
import { parseDateTime } from "./datetime.ts";
import { isSakuraError, SakuraError } from "./errors.ts";
import { parseHex, toHexLower } from "./hex.ts";
import { type Json, parseJson, shortestFloat32 } from "./json.ts";

/** A channel's value with the RFC 3339 time at which it was put in the TX queue, its offset added. */
export type TimedChannel = ChannelEntry & { readonly datetime: string };

export interface ChannelsUplink {
  readonly module: string;
  readonly type: "channels";
  readonly payload: { readonly channels: readonly TimedChannel[] };
}
export interface ConnectionUplink {
  readonly module: string;
  readonly type: "connection";
  readonly payload: { readonly is_online: boolean };
}
export interface LocationUplink {
  readonly module: string;
  readonly type: "location";
  readonly payload: {
    readonly coordinate: { readonly latitude: number; readonly longitude: number; readonly range_m: number } | null;
  };
}

/** What a module sends up, before the platform has stamped it. */
export type UplinkMessage = ChannelsUplink | ConnectionUplink | LocationUplink;

/** A message as it is published: `datetime` is when the platform, here the bridge, took it. RFC 3339. */
export type PlatformMessage = UplinkMessage & { readonly datetime: string };

/** What comes down to a module. Times in it are ignored. */
export interface DownlinkMessage {
  readonly type: "channels";
  readonly module: string;
  readonly payload: { readonly channels: readonly ChannelEntry[] };
}

/** The same message, taken at this time. */
export function stamp(message: UplinkMessage, datetime: string): PlatformMessage {
  return { ...message, datetime };
}

/** One line of JSON, keys in the vendor's order. NaN and the infinities, which JSON cannot hold, become null (choice). */
export function encodeMessage(message: PlatformMessage): string {
  const head = `{"module":${JSON.stringify(message.module)},"type":"${message.type}","datetime":${JSON.stringify(message.datetime)},"payload":`;
  switch (message.type) {
    case "channels":
      return `${head}{"channels":[${message.payload.channels.map(timedChannelJson).join(",")}]}}`;
    case "connection":
      return `${head}{"is_online":${message.payload.is_online}}}`;
    case "location":
      return `${head}${JSON.stringify({ coordinate: message.payload.coordinate })}}`;
  }
}

/** A downlink message as JSON, for whoever sends one. */
export function encodeDownlink(message: DownlinkMessage): string {
  const channels = message.payload.channels.map((entry) => `${channelJson(entry)}}`).join(",");
  return `{"type":"channels","module":${JSON.stringify(message.module)},"payload":{"channels":[${channels}]}}`;
}

/** Values of a message that JSON cannot hold and that were published as null. */
export function nonFiniteValues(message: UplinkMessage): number {
  if (message.type !== "channels") return 0;
  return message.payload.channels.filter(({ value }) => typeof value === "number" && !Number.isFinite(value)).length;
}

function timedChannelJson(entry: TimedChannel): string {
  return `${channelJson(entry)},"datetime":${JSON.stringify(entry.datetime)}}`;
}

/** Open at the end, for what may follow. */
function channelJson(entry: ChannelEntry): string {
  return `{"channel":${entry.channel},"type":"${entry.type}","value":${valueJson(entry)}`;
}

/** A channel's value as a JSON literal: 64-bit integers exact, float32 in its shortest form, bytes as 16 hex digits. */
export function valueJson(entry: ChannelValue): string {
  switch (entry.type) {
    case "i":
    case "I":
    case "l":
    case "L":
      return `${entry.value}`;
    case "f": {
      const single = Math.fround(entry.value);
      return Number.isFinite(single) ? shortestFloat32(single) : "null";
    }
    case "d":
      if (Object.is(entry.value, -0)) return "-0";
      return Number.isFinite(entry.value) ? `${entry.value}` : "null";
    case "b":
      return `"${toHexLower(entry.value)}"`;
  }
}

/** A module's id on the platform: opaque, usually `u` and 11 characters; part of a topic, so none of `/ # +` or NUL. */
export const moduleIdSchema = z
  .string({ error: "a module id is a string" })
  .min(1, "a module id is not empty")
  .max(128, "a module id has at most 128 characters")
  .regex(/^[^/#+\u0000]*$/, "a module id has no / # + or NUL, because it is part of a topic");

const channelNumber = z
  .int({ error: `a channel is an integer from 0 to ${CHANNEL_MAX}` })
  .min(0, `a channel is an integer from 0 to ${CHANNEL_MAX}`)
  .max(CHANNEL_MAX, `a channel is an integer from 0 to ${CHANNEL_MAX}`);

/** A JSON value as a channel value of that type, or what is wrong with it. Ranges are {@link valueProblem}'s. */
export function channelValueFromJson(type: ChannelType, json: Json): ChannelValue | string {
  const value = convert(type, json);
  return value === undefined ? valueForms[type] : (valueProblem(value) ?? value);
}

const valueForms: { readonly [T in ChannelType]: string } = {
  i: "type i takes an integer from -2147483648 to 2147483647",
  I: "type I takes an integer from 0 to 4294967295",
  l: "type l takes a 64-bit integer, as a JSON number",
  L: "type L takes an unsigned 64-bit integer, as a JSON number",
  f: "type f takes a number within the range of a float32 (up to 3.4028235e38)",
  d: "type d takes a number within the range of a float64 (up to 1.7976931348623157e308)",
  b: "type b takes 16 hex digits",
};

function convert(type: ChannelType, json: Json): ChannelValue | undefined {
  if (type === "b") {
    const bytes = typeof json === "string" ? parseHex(json) : undefined;
    return bytes?.length === 8 ? { type, value: bytes } : undefined;
  }
  if (typeof json !== "number" && typeof json !== "bigint") return undefined;
  if (type === "l" || type === "L")
    // A number that is not a safe integer has been rounded already: 1e19 is not exact.
    return typeof json === "bigint" || Number.isSafeInteger(json) ? { type, value: BigInt(json) } : undefined;
  const value = Number(json);
  // JSON has no infinity: a literal that reads as one, such as 1e400, is a number too large for its type.
  return Math.abs(value) === Number.POSITIVE_INFINITY ? undefined : { type, value };
}

const jsonValue = z.custom<Json>((value) => value !== undefined, "is missing");
const channelFields = z.object({
  channel: channelNumber,
  type: z.string({ error: "a type is a string" }).refine(isChannelType, {
    error: `a type is one of ${Object.keys(channelTypes).join(" ")}`,
  }),
  value: jsonValue,
});

/** A message's channel: the entry, whatever else stood beside it left out. */
const channelSchema = channelFields.transform(({ channel, type, value }, context): ChannelEntry => {
  const converted = isChannelType(type) ? channelValueFromJson(type, value) : "unknown type";
  if (typeof converted !== "string") return { channel, ...converted };
  context.addIssue({ code: "custom", message: converted, path: ["value"], input: value });
  return z.NEVER;
});

const downlinkSchema = z.object({
  type: z.literal("channels", { error: 'a downlink message has the type "channels"' }),
  module: moduleIdSchema,
  payload: z.object({
    channels: z
      .array(channelSchema)
      .min(1, "at least one channel")
      .max(MESSAGE_CHANNELS_MAX, `at most ${MESSAGE_CHANNELS_MAX} channels a message`),
  }),
});

/**
 * Reads a downlink message.
 * @throws SakuraError INVALID_MESSAGE; context.path names the place, such as `payload.channels[2].value`
 */
export function parseDownlink(text: string): DownlinkMessage {
  return downlinkFromJson(parseJson(text));
}

/** As {@link parseDownlink}, from JSON that has been parsed with exact integers. */
export function downlinkFromJson(json: Json): DownlinkMessage {
  return validate(downlinkSchema, json);
}

const datetime = z.string({ error: "a datetime is a string" }).refine(isDateTime, { error: "a datetime is RFC 3339" });

function isDateTime(text: string): boolean {
  try {
    parseDateTime(text);
    return true;
  } catch (error) {
    if (isSakuraError(error, "INVALID_ARGUMENT")) return false;
    throw error;
  }
}

/** As published: NaN and the infinities have become null. */
const timedChannelSchema = channelFields
  .extend({ datetime })
  .transform(({ channel, type, value, datetime }, context): TimedChannel => {
    const nan = value === null && (type === "f" || type === "d");
    const converted = isChannelType(type) ? channelValueFromJson(type, nan ? Number.NaN : value) : "unknown type";
    if (typeof converted !== "string") return { channel, ...converted, datetime };
    context.addIssue({ code: "custom", message: converted, path: ["value"], input: value });
    return z.NEVER;
  });

const platformSchema = z.discriminatedUnion("type", [
  z.object({
    module: moduleIdSchema,
    type: z.literal("channels"),
    datetime,
    payload: z.object({ channels: z.array(timedChannelSchema).max(MESSAGE_CHANNELS_MAX) }),
  }),
  z.object({
    module: moduleIdSchema,
    type: z.literal("connection"),
    datetime,
    payload: z.object({ is_online: z.boolean() }),
  }),
  z.object({
    module: moduleIdSchema,
    type: z.literal("location"),
    datetime,
    payload: z.object({
      coordinate: z.object({ latitude: z.number(), longitude: z.number(), range_m: z.number() }).nullable(),
    }),
  }),
]);

/**
 * Reads a message as it was published.
 * @throws SakuraError INVALID_MESSAGE; context.path names the place
 */
export function parsePlatformMessage(text: string): PlatformMessage {
  return validate(platformSchema, parseJson(text));
}

function validate<T>(schema: z.ZodType<T>, json: Json): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = pathText(issue?.path ?? []);
  throw new SakuraError("INVALID_MESSAGE", `${path || "the message"}: ${issue?.message ?? "is not valid"}`, {
    context: { path },
  });
}

/** `payload.channels[2].value` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`)).join("");
}
