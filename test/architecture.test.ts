/** The house (docs/architecture.md): who may import whom. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Import {
  readonly from: string;
  /** A path within the repository for a relative import, the specifier itself for any other. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = ["protocol", "host", "emulator"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name).split(sep).join("/")),
);

/** Static imports, re-exports and dynamic imports. */
const IMPORT = /(?:^|[;}\s])(?:(import|export)\s+(type\s)?[^"';]*?from\s*|import\s*\(\s*|import\s+)"([^"]+)"/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  return [...text.matchAll(IMPORT)].map((match) => {
    const specifier = match[3] ?? "";
    const to = specifier.startsWith(".")
      ? relative(root, join(root, dirname(file), specifier))
          .split(sep)
          .join("/")
      : specifier;
    return { from: file, to, typeOnly: match[2] !== undefined };
  });
}

const imports = files.flatMap(importsOf);
const text = ({ from, to }: Import): string => `${from} → ${to}`;
const offending = (rule: (one: Import) => boolean): string[] => imports.filter(rule).map(text);
const importersOf = (name: string): string[] => [
  ...new Set(imports.filter(({ to }) => to === name || to.startsWith(`${name}/`)).map(({ from }) => from)),
];

describe("the house", () => {
  it("is seen: files and imports are found", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.map(text)).toContain("protocol/message.ts → zod");
    expect(imports.map(text)).toContain("host/cli/emulate-verb.ts → host/cli/emulate.ts");
  });

  it("keeps protocol/ pure: itself and zod", () => {
    expect(
      offending(({ from, to }) => from.startsWith("protocol/") && !to.startsWith("protocol/") && to !== "zod"),
    ).toEqual([]);
  });

  it("keeps host/ and emulator/ apart, but in host/cli/", () => {
    const hostToEmulator = ({ from, to }: Import) =>
      from.startsWith("host/") && !from.startsWith("host/cli/") && to.startsWith("emulator/");
    expect(offending(hostToEmulator)).toEqual([]);
    expect(offending(({ from, to }) => from.startsWith("emulator/") && to.startsWith("host/"))).toEqual([]);
  });

  it("lets nobody import the command line", () => {
    expect(offending(({ from, to }) => !from.startsWith("host/cli/") && to.startsWith("host/cli/"))).toEqual([]);
  });

  it("gives each outside library one door", () => {
    expect(importersOf("serialport")).toEqual(["host/adapter/serial-port.ts"]);
    expect(importersOf("@serialport/parser-byte-length")).toEqual(["host/adapter/bus-pirate/wire.ts"]);
    expect(importersOf("koffi")).toEqual(["emulator/bus/pty-libc.ts"]);
    expect(importersOf("mqtt")).toEqual(["host/bridge/aws-iot/connection.ts", "host/cli/demo/subscriber.ts"]);
    expect(importersOf("yaml").every((file) => /^(host\/config|emulator\/aws-iot)\//.test(file))).toBe(true);
    expect(importersOf("classic-level")).toEqual(["host/bridge/outbox/leveldb.ts"]);
    expect(importersOf("aedes").every((file) => file.startsWith("emulator/aws-iot/"))).toBe(true);
    expect(importersOf("avr8js").every((file) => file.startsWith("emulator/avr/"))).toBe(true);
    expect(importersOf("fastify").every((file) => file.startsWith("host/panel/"))).toBe(true);
    expect(importersOf("prom-client")).toEqual(["host/panel/metrics.ts"]);
    expect(importersOf("csv-parse")).toEqual(["host/feed/csv.ts"]);
    expect(importersOf("pino")).toEqual(["host/cli/log-json.ts"]);
    expect(importersOf("commander").every((file) => file.startsWith("host/cli/"))).toBe(true);
  });

  it("loads avr8js for nobody who did not ask for it", () => {
    const intoAvr = ({ from, to, typeOnly }: Import) =>
      !from.startsWith("emulator/avr/") && to.startsWith("emulator/avr/") && !typeOnly;
    expect(offending((one) => intoAvr(one) && one.from !== "host/cli/avr.ts")).toEqual([]);
  });

  it("loads the HTTP server and the JSON log for nobody who did not ask for them", () => {
    const intoPanel = ({ from, to, typeOnly }: Import) =>
      !from.startsWith("host/panel/") && to.startsWith("host/panel/") && !typeOnly;
    expect(offending(intoPanel)).toEqual(["host/cli/bridge-operation.ts → host/panel/server.ts"]);
    expect(offending(({ to }) => to === "host/cli/log-json.ts")).toEqual(["host/cli/log.ts → host/cli/log-json.ts"]);
    const text = (file: string) => readFileSync(join(root, file), "utf8");
    expect(text("host/cli/bridge-operation.ts")).toContain('await import("../panel/server.ts")');
    expect(text("host/cli/log.ts")).toContain('await import("./log-json.ts")');
  });

  it("has no circle of imports", () => {
    const next = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly && files.includes(to)) next.set(from, [...(next.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const circleFrom = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      for (const to of next.get(file) ?? []) {
        const circle = circleFrom(to, [...path, file]);
        if (circle) return circle;
      }
      done.add(file);
      return undefined;
    };
    expect(files.map((file) => circleFrom(file, [])).find(Boolean)).toBeUndefined();
  });
});
