/** What the endpoint does wrong on purpose, as people write it: `drop-after=50,no-puback,delay=200`. */
import { z } from "zod";
import { SakuraError } from "../../protocol/errors.ts";

const DAY_MS = 24 * 3600 * 1000;
const ms = z.coerce.number().int().min(0).max(DAY_MS);
const count = z.coerce.number().int().min(1).max(1_000_000_000);

const specSchema = z.strictObject({
  /** Every connection ends right after it has sent so many publishes; the last is taken, but not acknowledged. */
  "drop-after": count.optional(),
  /** Every so many-th PUBACK is kept back for good; 1 is every one. The publish itself was taken. */
  "no-puback": count.optional(),
  /** PUBACKs are kept back for so many ms from now on. */
  "no-puback-for": ms.optional(),
  /** No SUBSCRIBE is answered; it is carried out. */
  "no-suback": z.literal(true).optional(),
  /** Everything that the endpoint sends comes so many ms later. */
  delay: ms.default(0),
});

export type EndpointFaultSpec = z.infer<typeof specSchema>;

export const noEndpointFaults: EndpointFaultSpec = specSchema.parse({});

const FORM = "drop-after=N,no-puback[=N],no-puback-for=MS,no-suback,delay=MS";

/**
 * Reads a SPEC: its parts in any order, each optional; the empty text is no faults.
 * @throws SakuraError INVALID_ARGUMENT naming the part
 */
export function parseEndpointFaults(spec: string): EndpointFaultSpec {
  const fields = new Map<string, string | number | boolean>();
  for (const part of spec.split(",").map((text) => text.trim())) {
    if (part === "") continue;
    const [key = "", ...values] = part.split("=").map((text) => text.trim());
    if (fields.has(key)) throw notFaults(spec, `${key} is there twice`);
    const bare = key === "no-puback" ? 1 : key === "no-suback" ? true : "?";
    const value = values.join("=");
    // An empty value would be read as 0.
    fields.set(key, values.length === 0 ? bare : value === "" ? "?" : value);
  }
  const result = specSchema.safeParse(Object.fromEntries(fields));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw notFaults(spec, issue?.path.length ? `${issue.path.join(".")}: ${issue.message}` : (issue?.message ?? ""));
}

function notFaults(spec: string, what: string): SakuraError {
  const message = `faults are ${FORM}, such as drop-after=50,delay=200; in "${spec}": ${what}`;
  return new SakuraError("INVALID_ARGUMENT", message, { context: { spec } });
}
