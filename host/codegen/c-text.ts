/** How names and lines of the protocol become C. */

const WIDTH = 100;

/** `in progress`, `lastError` or `GET_DATETIME` as a C identifier in lower case. */
export function identifier(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z\d]+/g, "_")
    .toLowerCase();
}

/** The parts as the name of a macro: `SAKURAIO_UPDATE_RESULT_ALREADY_UP_TO_DATE`. */
export function macro(...parts: readonly string[]): string {
  return ["sakuraio", ...parts].map(identifier).join("_").toUpperCase();
}

/** A size, cut to what the program that includes the header has room for. */
export function atMost(size: number): string {
  return `SAKURAIO_AT_MOST(${size})`;
}

/** `#define`s with their values below each other. */
export function defines(rows: readonly (readonly [name: string, value: string])[]): string {
  const widest = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `#define ${name.padEnd(widest)} ${value}`).join("\n");
}

/** A comment of whole lines, wrapped. */
export function comment(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 4 <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  const [only] = lines;
  return lines.length === 1 && only !== undefined && only.length + 6 <= WIDTH
    ? `/* ${only} */`
    : `/*\n${lines.map((line) => ` * ${line}`).join("\n")}\n */`;
}

/** One function, static so that the header stands alone and inline so that one which nobody calls costs nothing. */
export function inlineFunction(
  returns: string,
  name: string,
  parameters: readonly string[],
  body: readonly string[],
): string {
  const head = `static inline ${returns.endsWith("*") ? returns : `${returns} `}${name}(`;
  const lines: string[] = [head];
  for (const [i, parameter] of parameters.entries()) {
    const piece = `${parameter}${i === parameters.length - 1 ? ") {" : ","}`;
    const last = lines.at(-1) ?? "";
    if (last.length + piece.length + 1 <= WIDTH) lines[lines.length - 1] = `${last}${i === 0 ? "" : " "}${piece}`;
    else lines.push(`    ${piece}`);
  }
  return [...lines, ...body.map((line) => `  ${line}`), "}"].join("\n");
}
