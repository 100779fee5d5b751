/** JSON for a program to read, with every 64-bit integer exact. */

export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain | undefined };

/** One line of JSON. What is undefined is left out; NaN and the infinities, which JSON cannot hold, become null. */
export function jsonLine(value: Plain): string {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : JSON.stringify(value);
  if (isList(value)) return `[${value.map(jsonLine).join(",")}]`;
  const fields = Object.entries(value).map(([key, field]) =>
    field === undefined ? undefined : `${JSON.stringify(key)}:${jsonLine(field)}`,
  );
  return `{${fields.filter((field) => field !== undefined).join(",")}}`;
}

/** `Array.isArray` does not narrow a read-only array. */
function isList(value: readonly Plain[] | object): value is readonly Plain[] {
  return Array.isArray(value);
}
