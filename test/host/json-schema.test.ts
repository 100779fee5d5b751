import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bridgeFileJsonSchema } from "../../host/config/json-schema.ts";

type Schema = Readonly<Record<string, unknown>>;

function child(schema: unknown, ...path: readonly string[]): Schema {
  let at: unknown = schema;
  for (const step of path)
    at = Object.entries(typeof at === "object" && at !== null ? at : {}).find(([key]) => key === step)?.[1];
  if (typeof at !== "object" || at === null) throw new Error(`the schema has no ${path.join(".")}`);
  return Object.fromEntries(Object.entries(at));
}

/** The places where a value is not what a schema says, as far as keys, requirements and constants go. */
function misfits(schema: Schema, value: unknown, path = ""): string[] {
  const options = Array.isArray(schema["oneOf"]) ? schema["oneOf"] : undefined;
  if (options) {
    const all = options.map((option) => misfits(child({ option }, "option"), value, path));
    return all.find((each) => each.length === 0) ?? all.flat();
  }
  if ("const" in schema) return schema["const"] === value ? [] : [`${path}: not ${schema["const"]}`];
  if (schema["type"] === "array" && Array.isArray(value)) {
    return value.flatMap((each, i) => misfits(child(schema, "items"), each, `${path}[${i}]`));
  }
  if (schema["type"] !== "object") return typeof value === "object" ? [`${path}: an object`] : [];
  const properties = child(schema, "properties");
  const fields = Object.entries(typeof value === "object" && value !== null ? value : {});
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return [
    ...required.filter((key) => !fields.some(([name]) => name === key)).map((key) => `${path}.${key}: missing`),
    ...fields.flatMap(([key, each]) =>
      key in properties ? misfits(child(properties, key), each, `${path}.${key}`) : [`${path}.${key}: unknown`],
    ),
  ];
}

describe("the JSON Schema of the bridge's file", () => {
  const schema = bridgeFileJsonSchema();

  it("fits the README's example", () => {
    const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
    const lines = readme.split("\n");
    const first = lines.findIndex((line) => /^ *services:/.test(line));
    const indent = /^ */.exec(lines[first] ?? "")?.[0] ?? "";
    const length = lines
      .slice(first)
      .findIndex((line) => line !== "" && (!line.startsWith(indent) || line.startsWith("```")));
    const example: unknown = parse(lines.slice(first, first + length).join("\n"));
    expect(example).toMatchObject({ services: [{ type: "aws-iot" }], modules: expect.any(Array) });
    expect(misfits(schema, example)).toEqual([]);
  });

  it("refuses what the bridge refuses: keys that are not known, and missing ones", () => {
    const service = { name: "a", type: "aws-iot", hostname: "h" };
    const problems = misfits(schema, { services: [service], modules: [{ id: "u1", link: "cable" }], panel: {} });
    expect(problems).toContain(".services[0].publish_prefix: missing");
    expect(problems).toContain(".modules[0].link: not emulated");
    expect(problems).toContain(".panel: unknown");
  });

  it("says what is written in the file, not what becomes of it", () => {
    expect(child(schema, "properties", "outbox", "properties", "max_bytes")).toEqual({
      type: ["number", "string"],
      pattern: "^\\d+ ?([KMG]iB|B|)$",
    });
    expect(child(schema, "properties", "downlinks", "properties", "max_age")).toMatchObject({ type: "string" });
    expect(child(schema, "properties", "services", "items", "properties", "keep_alive")).toEqual({
      type: "integer",
      minimum: 30,
      maximum: 1200,
      default: 30,
    });
    expect(child(schema, "properties", "services", "items")["required"]).toEqual([
      "name",
      "type",
      "hostname",
      "publish_prefix",
      "subscribe_topic",
      "rootca_cert",
      "cert",
      "private_key",
    ]);
  });
});
