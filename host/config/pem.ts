/**
 * Certificates and keys as people hand them over: a path or the text itself, sometimes the wrong file. Every refusal
 * says what was found and what to do, and none of them ever shows what a key holds.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { errnoOf, SakuraError } from "../../protocol/errors.ts";

/** What is wrong, without the place, which the caller knows. */
export class PemProblem {
  readonly message: string;
  readonly cause: unknown;

  constructor(message: string, cause?: unknown) {
    this.message = message;
    this.cause = cause;
  }
}

/** PEM text, and where it was, for messages. */
export interface PemText {
  readonly text: string;
  /** `certs/device.pem.crt`, or nothing when it stood in the configuration itself. */
  readonly path: string | undefined;
}

/** A path that is nothing but this much base64 is a key without its BEGIN line. */
const BARE_BASE64 = /^[A-Za-z0-9+/=\s]{60,}$/;
const PATH_MAX = 1024;
/** Nothing that belongs here is larger. */
const FILE_MAX = 1024 * 1024;

/** `env:NAME`: for containers, whose secrets come as variables. */
const VARIABLE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;

/**
 * @param value a path relative to `directory`, `env:NAME` for the text in that environment variable, or PEM text
 * @param env default the process's
 */
export function readPem(
  value: string,
  directory: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): PemText | PemProblem {
  if (value.includes("-----BEGIN")) return { text: value, path: undefined };
  if (value.startsWith("env:") && value.length <= PATH_MAX) return readVariable(value, env);
  // The end of a line may be written as two characters, as in a file of variables.
  const plain = value.replaceAll(/\\[nr]/g, "\n");
  if (BARE_BASE64.test(plain) || /[\r\n\0]/.test(plain) || value.length > PATH_MAX) {
    return new PemProblem("is neither a path nor PEM text: PEM begins with a line -----BEGIN …-----");
  }
  try {
    // Reading a pipe that nobody writes to would never end.
    if (statSync(resolve(directory, value)).isFIFO()) return new PemProblem(`${value} is a pipe: name a file`);
    const content = readFileSync(resolve(directory, value));
    if (content.length > FILE_MAX) return new PemProblem(`${value} is too large to be PEM: name the right file`);
    return { text: content.toString("latin1"), path: value };
  } catch (cause) {
    return new PemProblem(`${value} ${unreadable(cause)}`, cause);
  }
}

function readVariable(value: string, env: Readonly<Record<string, string | undefined>>): PemText | PemProblem {
  const [, name] = VARIABLE.exec(value) ?? [];
  // What follows may be a pasted secret, so it is not told.
  if (name === undefined) {
    return new PemProblem("begins with env: and names no variable: letters, digits and _, such as env:DEVICE_KEY");
  }
  const text = env[name];
  if (text === undefined || text.trim() === "") {
    return new PemProblem(`${value} is not set: give the bridge an environment variable ${name} with the PEM text`);
  }
  // Where only one line goes into a variable, its ends of lines come as two characters.
  return { text: text.includes("\n") ? text : text.replaceAll("\\n", "\n"), path: value };
}

/** Whether others than its owner may read a file that holds a key; on Windows nobody can tell by its mode. */
export function isReadableByOthers(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0;
}

function unreadable(error: unknown): string {
  switch (errnoOf(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return "is not there: check the path, which is relative to the configuration file";
    case "EACCES":
    case "EPERM":
      return "may not be read: give this user permission";
    case "EISDIR":
      return "is a directory: name the file in it";
    default:
      return `cannot be read (${errnoOf(error) ?? "unknown error"}): check the file`;
  }
}

/** All certificates of a PEM text, in order: at least one. What else the text holds is left out. */
export function certificatesOf(pem: PemText): readonly X509Certificate[] | PemProblem {
  const where = placeOf(pem);
  const labels = labelsOf(pem.text);
  const blocks = blocksOf(pem.text, /^(X509 |TRUSTED )?CERTIFICATE$/);
  if (blocks.length === 0) {
    if (labels.includes("CERTIFICATE REQUEST")) {
      return new PemProblem(`${where}is a certificate request, not a certificate: take the certificate made from it`);
    }
    if (labels.some((label) => label.endsWith("PRIVATE KEY"))) {
      return new PemProblem(`${where}is a private key, not a certificate: are cert and private_key exchanged?`);
    }
    if (labels.some((label) => label.endsWith("PUBLIC KEY"))) {
      return new PemProblem(`${where}is a public key, not a certificate: take the file that ends in .pem.crt`);
    }
    return new PemProblem(
      `${where}has no PEM certificate (-----BEGIN CERTIFICATE-----); one in DER becomes PEM with: openssl x509 -inform der -in FILE -out FILE.pem`,
    );
  }
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      // No cause: OpenSSL's words help nobody here.
      return new PemProblem(`${where}has a damaged certificate: ${LINES_HINT}`);
    }
  }
  return certificates;
}

const LINES_HINT = "copy the whole file again; in YAML put it after a | so that its lines stay lines";

/** The one private key of a PEM text. What else the text holds is left out. */
export function privateKeyOf(pem: PemText): KeyObject | PemProblem {
  const where = placeOf(pem);
  const labels = labelsOf(pem.text);
  const [block] = blocksOf(pem.text, /PRIVATE KEY$/);
  if (block === undefined) {
    if (labels.includes("CERTIFICATE")) {
      return new PemProblem(`${where}is a certificate, not a private key: are cert and private_key exchanged?`);
    }
    if (labels.some((label) => label.endsWith("PUBLIC KEY"))) {
      return new PemProblem(`${where}is a public key: take the private one, the file that ends in private.pem.key`);
    }
    return new PemProblem(
      `${where}has no PEM private key (-----BEGIN PRIVATE KEY-----); one in DER becomes PEM with: openssl pkey -inform der -in FILE -out FILE.pem`,
    );
  }
  if (/ENCRYPTED/.test(block.slice(0, 200))) {
    return new PemProblem(
      `${where}is encrypted with a passphrase: the bridge starts alone and cannot ask for it; decrypt it with: openssl pkey -in FILE -out FILE.key`,
    );
  }
  try {
    return createPrivateKey(block);
  } catch {
    // No cause: it must not carry anything of the key.
    return new PemProblem(`${where}has a damaged private key: ${LINES_HINT}`);
  }
}

/** `bridge.yaml:12:5 services[0].cert: certs/device.pem.crt is a private key, …` */
export function pemError(where: string, { message, cause }: PemProblem): SakuraError {
  return new SakuraError("INVALID_CONFIG", `${where}: ${message}`, {
    context: { where },
    ...(cause !== undefined && { cause }),
  });
}

function placeOf({ path }: PemText): string {
  return path === undefined ? "" : `${path} `;
}

function labelsOf(text: string): readonly string[] {
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1] ?? "");
}

/** Whole blocks with such a label, from BEGIN to END; one without its END too, for the parser to object to. */
function blocksOf(text: string, label: RegExp): readonly string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----.*?(?:-----END \1-----|$)/gs)) {
    if (label.test(match[1] ?? "")) found.push(`${match[0]}\n`);
  }
  return found;
}
