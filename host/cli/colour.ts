/** Whether output is coloured, and how. */

/** Foreground colours and intensity of ANSI terminals. */
const CODES = { dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;
export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

/**
 * Colours where the stream is a terminal that has some. `NO_COLOR` (of any length but 0), `NODE_DISABLE_COLORS` and
 * `TERM=dumb` say no; `FORCE_COLOR` says yes to what is no terminal, and no when it is 0.
 */
export function painter(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  return isColoured(stream.isTTY === true, env)
    ? (colour, text) => (text === "" ? "" : `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m`)
    : (_, text) => text;
}

function isColoured(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR, NODE_DISABLE_COLORS, FORCE_COLOR, TERM } = env;
  if (isSet(NO_COLOR) || isSet(NODE_DISABLE_COLORS)) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
