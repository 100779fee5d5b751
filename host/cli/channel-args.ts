/** `CH:TYPE=VALUE` on the command line, exact for every type. */
import {
  CHANNEL_MAX,
  type ChannelEntry,
  type ChannelType,
  type ChannelValue,
  channelTypes,
  isChannelType,
  valueProblem,
} from "../../protocol/channel.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { parseHex } from "../../protocol/hex.ts";

const EXAMPLE = "1:i=25 2:f=23.5 3:b=0f1e2d3c4b5c6b7a 4:L=18446744073709551615";

/**
 * Reads one value for a channel.
 * @throws SakuraError INVALID_ARGUMENT with an example
 */
export function parseChannelArgument(text: string): ChannelEntry {
  const match = /^(\d{1,3}):([^=]*)=(.*)$/s.exec(text);
  if (!match) throw invalid(text, "is no CH:TYPE=VALUE");
  const [, channelText = "", type = "", valueText = ""] = match;
  const channel = Number(channelText);
  if (channel > CHANNEL_MAX) throw invalid(text, `a channel is an integer from 0 to ${CHANNEL_MAX}`);
  if (!isChannelType(type)) throw invalid(text, `the types are ${Object.keys(channelTypes).join(" ")}`);
  const value = parseValue(type, valueText);
  if (!value) throw invalid(text, `type ${type} takes ${forms[type]}`);
  const problem = valueProblem(value);
  if (problem !== undefined) throw invalid(text, problem);
  return { channel, ...value };
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

function invalid(text: string, problem: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", `"${text}": ${problem}; a value for a channel looks like ${EXAMPLE}`, {
    context: { argument: text },
  });
}
