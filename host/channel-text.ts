/** A channel's value as people write it, exact for every type: on the command line, in a CSV file. */
import {
  CHANNEL_MAX,
  type ChannelEntry,
  type ChannelType,
  type ChannelValue,
  channelTypes,
  isChannelType,
  valueProblem,
} from "../protocol/channel.ts";
import { parseHex } from "../protocol/hex.ts";

/** The three texts of a value. */
export interface ChannelText {
  readonly channel: string;
  readonly type: string;
  readonly value: string;
}

/** The value, or which of the texts is wrong and what would be right. */
export type ChannelReading =
  | { readonly ok: true; readonly entry: ChannelEntry }
  | { readonly ok: false; readonly field: keyof ChannelText; readonly problem: string };

export function readChannelText(text: ChannelText): ChannelReading {
  const { type } = text;
  const channel = Number(text.channel);
  if (!/^\d{1,3}$/.test(text.channel) || channel > CHANNEL_MAX) {
    return { ok: false, field: "channel", problem: `a channel is an integer from 0 to ${CHANNEL_MAX}` };
  }
  if (!isChannelType(type)) {
    return { ok: false, field: "type", problem: `the types are ${Object.keys(channelTypes).join(" ")}` };
  }
  const value = parseValue(type, text.value);
  if (!value) return { ok: false, field: "value", problem: `type ${type} takes ${forms[type]}` };
  const problem = valueProblem(value);
  if (problem !== undefined) return { ok: false, field: "value", problem };
  return { ok: true, entry: { channel, ...value } };
}

const forms: { readonly [T in ChannelType]: string } = {
  i: "an integer",
  I: "an integer, 0 or more",
  l: "an integer",
  L: "an integer, 0 or more",
  f: "a number",
  d: "a number",
  b: "16 hex digits",
};

/** The value, its range unchecked; nothing when it has not the form of one. */
function parseValue(type: ChannelType, text: string): ChannelValue | undefined {
  switch (type) {
    case "i":
    case "I":
      return /^[+-]?\d{1,20}$/.test(text) ? { type, value: Number(text) } : undefined;
    case "l":
    case "L":
      // BigInt takes no plus sign.
      return /^[+-]?\d{1,40}$/.test(text) ? { type, value: BigInt(text.replace(/^\+/, "")) } : undefined;
    case "f":
    case "d": {
      const value = parseFloating(text);
      return value === undefined ? undefined : { type, value };
    }
    case "b": {
      const value = parseHex(text.replace(/^0x/i, ""));
      return value && value.length === 8 ? { type, value } : undefined;
    }
  }
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SPECIAL = /^([+-]?)(inf(?:inity)?|nan)$/i;

function parseFloating(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    // 1e999 is not what was written.
    return Number.isFinite(value) ? value : undefined;
  }
  const special = SPECIAL.exec(text);
  if (!special) return undefined;
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
