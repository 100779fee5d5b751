/** `CH:TYPE=VALUE` on the command line, exact for every type. */
import type { ChannelEntry } from "../../protocol/channel.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { readChannelText } from "../channel-text.ts";

const EXAMPLE = "1:i=25 2:f=23.5 3:b=0f1e2d3c4b5c6b7a 4:L=18446744073709551615";

/**
 * Reads one value for a channel.
 * @throws SakuraError INVALID_ARGUMENT with an example
 */
export function parseChannelArgument(text: string): ChannelEntry {
  const match = /^(\d{1,3}):([^=]*)=(.*)$/s.exec(text);
  if (!match) throw invalid(text, "is no CH:TYPE=VALUE");
  const [, channel = "", type = "", value = ""] = match;
  const reading = readChannelText({ channel, type, value });
  if (!reading.ok) throw invalid(text, reading.problem);
  return reading.entry;
}

function invalid(text: string, problem: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", `"${text}": ${problem}; a value for a channel looks like ${EXAMPLE}`, {
    context: { argument: text },
  });
}
