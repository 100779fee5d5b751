/** The bridge's configuration: read, checked, its paths made absolute, its certificates and keys loaded. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { z } from "zod";
import { errnoOf, isSakuraError, reasonOf, SakuraError } from "../../protocol/errors.ts";
import { pathText } from "../../protocol/message.ts";
import { parsePortUri } from "../uri.ts";
import { parseDeviceEndpoint } from "./device-endpoint.ts";
import {
  certificatesOf,
  isReadableByOthers,
  PemProblem,
  type PemText,
  pemError,
  privateKeyOf,
  readPem,
} from "./pem.ts";
import { bridgeFileProblem } from "./problems.ts";
import {
  type BridgeConfig,
  type BridgeFile,
  bridgeFileSchema,
  type ConfigPath,
  type Credentials,
  type ModuleConfig,
  type ServiceConfig,
} from "./schema.ts";
import { sharedPortProblem } from "./shared-ports.ts";
import { parseYaml } from "./yaml.ts";

/**
 * Reads a configuration file. That a certificate has expired is no error here: time may mend it, as it made it.
 * @throws SakuraError INVALID_CONFIG: one message with file, line, path and what to do; never key material
 */
export function loadConfig(file: string): BridgeConfig {
  return parseConfig(readText(file), sourceOf(file));
}

/** A file's content as far as it can be known without the files that it names. */
export interface CheckedFile {
  readonly file: BridgeFile;
  readonly where: (path: ConfigPath) => string;
  /** To which the paths in it are relative; absolute. */
  readonly directory: string;
}

/** As {@link loadConfig}, without looking at certificates and keys: they may not be there yet. @throws SakuraError INVALID_CONFIG */
export function loadBridgeFile(file: string): CheckedFile {
  const source = sourceOf(file);
  const { file: content, where } = checkBridgeText(readText(file), source.name);
  return { file: content, where, directory: source.directory };
}

function sourceOf(file: string): ConfigSource {
  return { name: basename(file), directory: dirname(resolve(file)) };
}

function readText(file: string): string {
  try {
    // Reading a pipe that nobody writes to would never end, and could not be given up.
    if (!statSync(file).isFile()) {
      throw new SakuraError("INVALID_CONFIG", `the configuration file ${file} is not a file`, { context: { file } });
    }
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (isSakuraError(cause)) throw cause;
    const code = errnoOf(cause);
    const what = code === "ENOENT" ? "is not there: check the path" : `cannot be read (${code ?? "unknown error"})`;
    throw new SakuraError("INVALID_CONFIG", `the configuration file ${file} ${what}`, { context: { file }, cause });
  }
}

export interface ConfigSource {
  /** The file's name, for messages. */
  readonly name: string;
  /** To which the paths in it are relative; absolute. */
  readonly directory: string;
}

/** As {@link loadConfig}, from text. @throws SakuraError INVALID_CONFIG */
export function parseConfig(text: string, { name, directory }: ConfigSource): BridgeConfig {
  const { file, where, fail } = checkBridgeText(text, name);
  const warnings: string[] = [];
  const warn: Warn = (path, message) => void warnings.push(`${where(path)}: ${message}`);
  const services = file.services.map((service, i) => loadService(service, directory, ["services", i], where, warn));
  const modules = file.modules.map((module, i) => loadModule(module, directory, ["modules", i], fail));
  const shared = sharedPortProblem(modules);
  if (shared) fail(shared.path, shared.message);
  return {
    services,
    modules,
    outbox: { ...file.outbox, path: resolve(directory, file.outbox.path) },
    downlinks: file.downlinks,
    http: file.http,
    warnings,
    where,
  };
}

/** As {@link loadBridgeFile}, from text. @throws SakuraError INVALID_CONFIG */
export function checkBridgeText(text: string, name: string) {
  const yaml = parseYaml(text, name);
  const where = (path: ConfigPath): string => {
    const { line, column } = yaml.locate(path);
    const shown = pathText(path);
    return `${name}:${line}:${column}${shown === "" ? "" : ` ${shown}`}`;
  };
  const fail = (path: ConfigPath, message: string): never => {
    const place = where(path);
    throw new SakuraError("INVALID_CONFIG", `${place}: ${message}`, {
      context: { where: place, path: pathText(path) },
    });
  };
  if (yaml.data === null || yaml.data === undefined) fail([], "is empty: describe services and modules");
  const result = bridgeFileSchema.safeParse(yaml.data);
  if (!result.success) {
    const { path, message } = firstIssue(result.error);
    return fail(path, message);
  }
  const problem = bridgeFileProblem(result.data);
  if (problem) fail(problem.path, problem.message);
  return { file: result.data, where, fail };
}

/** A key that is not known explains best why another is missing. */
function firstIssue(error: z.ZodError): { readonly path: ConfigPath; readonly message: string } {
  const { issues } = error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  const path = (issue?.path ?? []).map((step) => (typeof step === "number" ? step : String(step)));
  if (issue?.code === "unrecognized_keys") path.push(...issue.keys.slice(0, 1).map(shortened));
  return { path, message: issue?.message ?? "is not valid" };
}

/** A key may be anything, a pasted secret too. */
function shortened(key: string): string {
  return key.length <= 40 ? key : `${key.slice(0, 8)}…`;
}

type Where = (path: ConfigPath) => string;
type Warn = (path: ConfigPath, message: string) => void;

function loadService(
  service: BridgeFile["services"][number],
  directory: string,
  path: ConfigPath,
  where: Where,
  warn: Warn,
): ServiceConfig {
  const { rootca_cert, cert, private_key, ...fields } = service;
  const at = (field: string): string => where([...path, field]);
  const load = <T extends object>(field: string, value: string, read: (pem: PemText) => T | PemProblem) => {
    const pem = readPem(value, directory);
    if (pem instanceof PemProblem) throw pemError(at(field), pem);
    const loaded = read(pem);
    if (loaded instanceof PemProblem) throw pemError(at(field), loaded);
    return { loaded, from: pem.path };
  };
  const { loaded: roots, from: rootFrom } = load("rootca_cert", rootca_cert, certificatesOf);
  const { loaded: chain, from: certificateFrom } = load("cert", cert, certificatesOf);
  const { loaded: privateKey, from: keyFrom } = load("private_key", private_key, privateKeyOf);
  const keyFile = keyFrom === undefined || keyFrom.startsWith("env:") ? undefined : resolve(directory, keyFrom);
  // systemd hands its credentials over by an access list, which shows as the group's right.
  const handedOver = keyFile?.startsWith(`${process.env["CREDENTIALS_DIRECTORY"] ?? "\0"}/`) === true;
  if (keyFile !== undefined && !handedOver && isReadableByOthers(keyFile)) {
    warn([...path, "private_key"], `${keyFrom} may be read by others than its owner: chmod 600 it`);
  }
  const [certificate] = chain;
  const [root] = roots;
  if (!certificate || !root) throw pemError(at("cert"), new PemProblem("has no certificate"));
  if (root.fingerprint256 === certificate.fingerprint256) {
    const problem = "is the same certificate as cert: for AWS IoT it must be Amazon Root CA 1 (AmazonRootCA1.pem)";
    throw pemError(at("rootca_cert"), new PemProblem(problem));
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    const problem = "does not belong to cert: take the key that was downloaded together with that certificate";
    throw pemError(at("private_key"), new PemProblem(problem));
  }
  const pemOf = (certificates: typeof chain): string => certificates.map((each) => each.toString()).join("");
  const credentials: Credentials = {
    rootCa: pemOf(roots),
    certificateChain: pemOf(chain),
    certificate,
    privateKey,
    from: { rootCa: rootFrom, certificate: certificateFrom, privateKey: keyFrom },
  };
  return { ...fields, credentials };
}

function loadModule(
  module: BridgeFile["modules"][number],
  directory: string,
  path: ConfigPath,
  fail: (path: ConfigPath, message: string) => never,
): ModuleConfig {
  const check = (field: string, endpoint: string, parse: (text: string) => unknown): string => {
    const absolute = absoluteEndpoint(endpoint, directory);
    try {
      parse(absolute);
      return absolute;
    } catch (error) {
      return fail([...path, field], reasonOf(error));
    }
  };
  if (module.link === "module") {
    return { ...module, port: check("port", module.port, (text) => parsePortUri(text)) };
  }
  if (module.link === "tap") {
    return {
      ...module,
      mcu: check("mcu", module.mcu, parseDeviceEndpoint),
      module: check("module", module.module, parseUartUri),
    };
  }
  const { uart, bus_pirate: busPirate, ...fields } = module;
  return {
    ...fields,
    ...(uart !== undefined && { uart: check("uart", uart, parseDeviceEndpoint) }),
    ...(busPirate !== undefined && { bus_pirate: check("bus_pirate", busPirate, parseDeviceEndpoint) }),
  };
}

/** Only a UART's bytes can be passed on as they come: on I2C and SPI the MCU has to be there in time. */
function parseUartUri(text: string): void {
  const { kind } = parsePortUri(text);
  if (kind === "uart" || kind === "tcp") return;
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `a tap's module is on a UART, uart:/dev/ttyUSB0 or tcp:HOST:PORT, not "${text}"`,
  );
}

/** A path in an endpoint or a port URI that says to be relative; a bare `COM3` is a name. */
function absoluteEndpoint(endpoint: string, directory: string): string {
  const match = /^((?:[a-z+0-9]+:)?)(.*)$/s.exec(endpoint);
  const [, scheme = "", rest = ""] = match ?? [];
  const isPath = scheme === "pty:" ? rest !== "" && !rest.startsWith("/") : /^\.{1,2}\//.test(rest);
  return isPath ? scheme + resolve(directory, rest) : endpoint;
}
