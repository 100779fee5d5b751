/**
 * The certificates of a workspace, in its `certs/`:
 *
 *     root-ca.pem   root-ca.key              the throwaway authority
 *     device.pem.crt   private.pem.key       the bridge's
 *     observer.pem.crt   observer.pem.key    a person's, to look with
 *
 * What is there from an earlier run and still good is used again, so that a bridge lives through a restart. What was
 * made here and is expired, damaged or does not belong together is made anew. Anything that was not made here stops
 * the run: the same names are usual for certificates of the real AWS, whose keys cannot be had twice.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import {
  AUTHORITY_NAME,
  type Authority,
  certificateIdOf,
  createAuthority,
  type IssuedCertificate,
  type KeyPairPem,
  loadAuthority,
} from "./certificates.ts";
import { makeDirectory, PRIVATE_MODE, readIfPresent, writeWhole } from "./workspace-files.ts";

/** Paths relative to the workspace, with slashes, as its bridge.yaml has them. */
export const identityFiles = {
  authority: { certificate: "certs/root-ca.pem", privateKey: "certs/root-ca.key" },
  device: { certificate: "certs/device.pem.crt", privateKey: "certs/private.pem.key" },
  observer: { certificate: "certs/observer.pem.crt", privateKey: "certs/observer.pem.key" },
} as const;

interface Identities {
  readonly authority: Authority;
  readonly device: IssuedCertificate;
  readonly observer: IssuedCertificate;
}

/** One that ends sooner is not worth starting with. */
const REMAINING_MIN_MS = 24 * 3600 * 1000;

/** Reads or makes them. @throws SakuraError INVALID_CONFIG when a file cannot be used, or was not made here */
export async function prepareIdentities(dir: string): Promise<Identities> {
  await makeDirectory(dir, "certs");
  // All is looked at before anything is written.
  const found = {
    authority: await readPair(dir, identityFiles.authority),
    device: await readPair(dir, identityFiles.device),
    observer: await readPair(dir, identityFiles.observer),
  };
  let authority = usableAuthority(found.authority);
  if (!authority) {
    authority = await createAuthority();
    await writePair(dir, identityFiles.authority, authority);
  }
  const issuer = authority;
  const identity = async (name: "device" | "observer", commonName: string): Promise<IssuedCertificate> => {
    const usable = usableIdentity(found[name], issuer);
    if (usable) return usable;
    const issued = await issuer.issueClient(commonName);
    await writePair(dir, identityFiles[name], issued);
    return issued;
  };
  return {
    authority,
    device: await identity("device", "sakuraio-kit bridge"),
    observer: await identity("observer", "sakuraio-kit observer"),
  };
}

interface PairFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What is there: nothing, or a certificate that was made here and perhaps its key. */
async function readPair(dir: string, files: PairFiles): Promise<Partial<KeyPairPem>> {
  const certificate = await readIfPresent(dir, files.certificate);
  const privateKey = await readIfPresent(dir, files.privateKey);
  if (certificate === undefined) {
    if (privateKey !== undefined) throw foreign(join(dir, files.privateKey));
    return {};
  }
  if (!madeHere(certificate)) throw foreign(join(dir, files.certificate));
  return privateKey === undefined ? { certificate } : { certificate, privateKey };
}

function madeHere(certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).issuer === `CN=${AUTHORITY_NAME}`;
  } catch {
    return false;
  }
}

function foreign(file: string): SakuraError {
  const message = `${file} was not made here, and is not overwritten: choose another directory, or move it away`;
  return new SakuraError("INVALID_CONFIG", message, { context: { file } });
}

/** The certificate before the key: what an interruption leaves is then still known as made here. */
async function writePair(dir: string, files: PairFiles, pair: KeyPairPem): Promise<void> {
  await writeWhole(join(dir, files.certificate), pair.certificate);
  await writeWhole(join(dir, files.privateKey), pair.privateKey, PRIVATE_MODE);
}

function usableAuthority({ certificate, privateKey }: Partial<KeyPairPem>): Authority | undefined {
  if (certificate === undefined || privateKey === undefined || !isCurrent(certificate)) return undefined;
  try {
    return loadAuthority({ certificate, privateKey });
  } catch (error) {
    if (isSakuraError(error, "INVALID_ARGUMENT")) return undefined;
    throw error;
  }
}

function usableIdentity(found: Partial<KeyPairPem>, authority: Authority): IssuedCertificate | undefined {
  const { certificate, privateKey } = found;
  if (certificate === undefined || privateKey === undefined || !isCurrent(certificate)) return undefined;
  const parsed = new X509Certificate(certificate);
  if (!parsed.verify(new X509Certificate(authority.certificate).publicKey)) return undefined;
  if (!isKeyOf(privateKey, parsed)) return undefined;
  return { certificate, privateKey, certificateId: certificateIdOf(parsed) };
}

function isKeyOf(privateKeyPem: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}

function isCurrent(certificatePem: string): boolean {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const now = Date.now();
  return Date.parse(validFrom) <= now && now + REMAINING_MIN_MS <= Date.parse(validTo);
}
