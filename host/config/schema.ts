/**
 * The bridge's file, as one schema: from it come the types, the defaults, the ranges and the messages. A key that it
 * does not know is an error. What one field alone cannot tell is checked in bridgeFileProblem.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { z } from "zod";
import { moduleIdSchema } from "../../protocol/message.ts";
import { publishPrefixProblem, resultTopicProblem, subscribeTopicProblem } from "../bridge/topics.ts";

/** Text that must be there. @param example in words, for the message */
function text(example: string) {
  return z.string({
    error: ({ input }) =>
      input === undefined ? `is missing: ${example}` : `must be text, such as ${example}; put it in quotes`,
  });
}

function integer(low: number, high: number) {
  const error = `must be a whole number from ${low} to ${high}`;
  return z.int({ error }).min(low, error).max(high, error);
}

/** A mapping with these keys and no other. */
function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape, what: string) {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") {
        return issue.input === undefined ? `is missing: ${what}` : `must be ${what}, with the keys ${keys}`;
      }
      return `is not a key that is known here: the keys are ${keys}`;
    },
  });
}

/** A field whose problem the function tells. */
function checked<Schema extends z.ZodType<string>>(schema: Schema, problem: (value: string) => string | undefined) {
  return schema.superRefine((value, context) => {
    const message = problem(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
}

/** AWS IoT's bound (aws-iot §3). */
export const CLIENT_ID_BYTES_MAX = 128;
const KIB = 1024;
const UNITS: Readonly<Record<string, number>> = { "": 1, B: 1, KiB: KIB, MiB: KIB ** 2, GiB: KIB ** 3 };
const BYTES_MIN = 64 * KIB;
const BYTES_MAX = 1024 * KIB ** 3;

/** A number of bytes, or text with a unit: `256MiB`. */
const bytes = z
  .union([z.number(), z.string()], { error: "must be a size such as 256MiB" })
  .transform((value, context): number => {
    const match = /^(\d+) ?([KMG]iB|B|)$/.exec(String(value));
    const size = match ? Number(match[1]) * (UNITS[match[2] ?? ""] ?? Number.NaN) : Number.NaN;
    if (size >= BYTES_MIN && size <= BYTES_MAX) return size;
    context.addIssue({ code: "custom", message: "must be a size from 64KiB to 1024GiB, such as 256MiB" });
    return z.NEVER;
  })
  .meta({ pattern: "^\\d+ ?([KMG]iB|B|)$" });

const DURATION_UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION_MAX_MS = 3_650 * 86_400_000;

/** A time such as `30s`, `10m`, `12h` or `7d`, as ms. */
function duration(minMs: number) {
  return z
    .string({ error: "must be a time such as 30s, 10m, 12h or 7d" })
    .transform((value, context): number => {
      const match = /^(\d{1,9}) ?([smhd])$/.exec(value);
      const ms = match ? Number(match[1]) * (DURATION_UNITS[match[2] ?? ""] ?? Number.NaN) : Number.NaN;
      if (ms >= minMs && ms <= DURATION_MAX_MS) return ms;
      context.addIssue({ code: "custom", message: `must be a time from ${minMs / 1_000}s to 3650d, such as 7d` });
      return z.NEVER;
    })
    .meta({ pattern: "^\\d{1,9} ?[smhd]$" });
}

/** Labels of at most 63 characters, 253 together (RFC 1035 §2.3.4); `_` because names of containers have it. */
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;

const hostname = checked(text("the endpoint, such as xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com"), (value) =>
  isIP(value) !== 0 || HOST_NAME.test(value) ? undefined : "must be a host name alone, without https://, port or path",
);

const clientId = checked(text("a client id"), (value) => {
  if (value === "") return "is empty: leave it out to have one made, or give one";
  if (value.includes("\u0000")) return "has a NUL, which no client id may have";
  return Buffer.byteLength(value) > CLIENT_ID_BYTES_MAX
    ? `has more than ${CLIENT_ID_BYTES_MAX} bytes, which is all that AWS IoT takes`
    : undefined;
});

const moduleId = z
  .string({
    error: ({ input }) =>
      input === undefined
        ? "is missing: the module's id, such as u0123456789a"
        : "must be text, such as u0123456789a; put it in quotes",
  })
  .pipe(moduleIdSchema);

const pem = (what: string) => text(`${what}: a path, env:NAME, or the PEM text itself`).min(1, `is empty: ${what}`);

export const awsIotService = mapping(
  {
    name: text("a name for the service").min(1, "is empty: name the service"),
    type: z.literal("aws-iot", { error: "must be aws-iot" }),
    hostname,
    port: integer(1, 65_535).default(8883),
    publish_prefix: checked(text("sakura/up"), (value) => publishPrefixProblem(value)),
    subscribe_topic: checked(text("sakura/down"), subscribeTopicProblem),
    rootca_cert: pem("the root's certificate"),
    cert: pem("the service's certificate"),
    private_key: pem("the key of cert"),
    client_id: clientId.optional(),
    qos: z.union([z.literal(0), z.literal(1)], { error: "must be 0 or 1: AWS IoT knows no QoS 2" }).default(0),
    connections: integer(1, 32).default(1),
    keep_alive: integer(30, 1_200).default(30),
    max_publish_rate: integer(1, 100_000).optional(),
    modules: z
      .array(moduleId, { error: "must be a list of module ids, such as [u0123456789a]; leave it out for all" })
      .min(1, "is empty: leave it out for all modules, or name some")
      .optional(),
    result_topic: checked(text("sakura/result"), resultTopicProblem).optional(),
  },
  "a service",
);

const PLACES = '"pty:/run/sakura", /dev/ttyUSB0, "usb:0403:6001:A50285BI" or "tcp:127.0.0.1:7000"';
const endpoint = text(`where the MCU is: ${PLACES}`)
  .min(1, "is empty")
  .meta({ examples: ["pty", "pty:/run/sakura", "/dev/ttyUSB0", "usb:0403:6001:A50285BI", "tcp:127.0.0.1:7000"] });
const port = text('where the module is: "uart:/dev/ttyUSB0", "uart:usb:0403:6001:A50285BI" or "tcp:127.0.0.1:7000"')
  .min(1, "is empty")
  .meta({ examples: ["uart:/dev/ttyUSB0", "uart:usb:0403:6001:A50285BI", "tcp:127.0.0.1:7000"] });
const queue = integer(1, 255).default(32);

const emulatedModule = mapping(
  {
    id: moduleId,
    link: z.literal("emulated"),
    uart: endpoint.optional(),
    bus_pirate: endpoint.optional(),
    tx_queue: queue,
    rx_queue: queue,
  },
  "a module",
).superRefine(({ uart, bus_pirate: busPirate }, context) => {
  if (uart !== undefined || busPirate !== undefined) return;
  const message = `is missing: where the MCU is: ${PLACES}; or bus_pirate, for an MCU's program on I2C or SPI`;
  context.addIssue({ code: "custom", path: ["uart"], message });
});

const realModule = mapping(
  {
    id: moduleId,
    link: z.literal("module"),
    port,
    poll_ms: integer(10, 3_600_000).default(1_000),
    mirror: z.boolean({ error: "must be true or false" }).default(false),
  },
  "a module",
);

const tapModule = mapping(
  {
    id: moduleId,
    link: z.literal("tap"),
    mcu: endpoint,
    module: port,
  },
  "a module",
);

/** Who may reach the port may do everything: so it is this machine alone. What is wrong with an address, if anything. */
export function listenProblem(value: string): string | undefined {
  const match = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/.exec(value);
  if (match && Number(match[2]) <= 65_535) return undefined;
  return 'must be an address of this machine alone and a port, such as "127.0.0.1:8080"';
}

const serviceList = z
  .array(awsIotService, { error: ({ input }) => (input === undefined ? "is missing: the services" : "must be a list") })
  .min(1, "is empty: describe at least one service");
const moduleList = z
  .array(
    z.discriminatedUnion("link", [emulatedModule, realModule, tapModule], {
      error: ({ code }) => (code === "invalid_union" ? "must be emulated, module or tap" : "must be a module"),
    }),
    { error: ({ input }) => (input === undefined ? "is missing: the modules" : "must be a list") },
  )
  .min(1, "is empty: describe at least one module");

export const bridgeFileSchema = mapping(
  {
    services: serviceList,
    modules: moduleList,
    outbox: mapping(
      {
        path: text("./outbox").min(1, "is empty").default("./outbox"),
        max_bytes: bytes.default(256 * KIB ** 2),
        max_age: duration(60_000).optional(),
        when_full: z.enum(["refuse", "drop-oldest"], { error: "must be refuse or drop-oldest" }).default("refuse"),
      },
      "a mapping",
    ).prefault({}),
    downlinks: mapping(
      { max_waiting: integer(0, 10_000).default(100), max_age: duration(1_000).default(600_000) },
      "a mapping",
    ).prefault({}),
    http: mapping({ listen: checked(text('"127.0.0.1:8080"'), listenProblem) }, "a mapping").optional(),
  },
  "a mapping",
);

/** The file's content, checked field by field. */
export type BridgeFile = z.output<typeof bridgeFileSchema>;

/** What a TLS connection needs. The key is a KeyObject, so that it cannot be printed by mistake. */
export interface Credentials {
  /** PEM, one or more roots. */
  readonly rootCa: string;
  /** PEM: the service's certificate, and what its file holds beside it. */
  readonly certificateChain: string;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** Where each was read: a path as the file has it, `env:NAME`, or nothing for text in the file itself. */
  readonly from: {
    readonly rootCa: string | undefined;
    readonly certificate: string | undefined;
    readonly privateKey: string | undefined;
  };
}

type AwsIotFields = Omit<z.output<typeof awsIotService>, "rootca_cert" | "cert" | "private_key">;
export type AwsIotServiceConfig = AwsIotFields & { readonly credentials: Credentials };
export type ServiceConfig = AwsIotServiceConfig;
/** A service's fields as the file has them. */
export type ServiceInput = z.input<typeof awsIotService>;
/** The names of its fields, in the order in which they are written. */
export const serviceFields: readonly string[] = Object.keys(awsIotService.shape);

export type EmulatedModuleConfig = z.output<typeof emulatedModule>;
export type RealModuleConfig = z.output<typeof realModule>;
export type TapModuleConfig = z.output<typeof tapModule>;
export type ModuleConfig = EmulatedModuleConfig | RealModuleConfig | TapModuleConfig;

/** A place in the file: `["services", 0, "hostname"]`. */
export type ConfigPath = readonly (string | number)[];

/** The bridge's configuration, ready for use: paths are absolute, certificates and keys are loaded. */
export interface BridgeConfig {
  readonly services: readonly ServiceConfig[];
  readonly modules: readonly ModuleConfig[];
  readonly outbox: BridgeFile["outbox"];
  /** Downlink messages that wait for a link that is down: how many for each, and for how many ms. */
  readonly downlinks: BridgeFile["downlinks"];
  readonly http: BridgeFile["http"];
  /** What works and should not stay so, each with its place: a key that others may read. */
  readonly warnings: readonly string[];
  /** Says where something is, for messages: `bridge.yaml:12:5 services[0].hostname`. */
  readonly where: (path: ConfigPath) => string;
}
