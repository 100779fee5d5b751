/** The bridge's file for editors, which complete keys and mark mistakes with it: the same schema that reads the file. */
import { z } from "zod";
import { bridgeFileSchema } from "./schema.ts";

/**
 * JSON Schema, draft 2020-12. What it cannot say, such as which topics overlap, `loadConfig` alone tells: a file that it
 * refuses is wrong, one that it takes may be wrong still.
 */
export function bridgeFileJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(bridgeFileSchema, { io: "input", unrepresentable: "any" });
  return { ...schema, title: "sakuraio bridge" };
}
