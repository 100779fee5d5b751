/** The files that a setup makes on this machine. What is there and fits is used again. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { makeDirectory, PRIVATE_MODE, readIfPresent, writeWhole } from "../../../emulator/aws-iot/workspace-files.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import type { PolicyDocument } from "../../bridge/aws-iot/policy.ts";
import { amazonRootCa1 } from "./root-ca.ts";
import type { SetupPlan } from "./setup-plan.ts";
import { createKey, signingRequest } from "./signing-request.ts";

/**
 * The key, readable for its owner alone, its signing request, and Amazon's root.
 * @throws SakuraError INVALID_CONFIG for a key or a certificate that does not fit, UNSUPPORTED without a root
 */
export async function prepareFiles({ dir, files, thing }: SetupPlan): Promise<void> {
  await makeDirectory(dir);
  const kept = await readIfPresent(files.privateKey);
  if (kept === undefined && (await readIfPresent(files.certificate)) !== undefined) {
    const message = `${files.certificate} is there, but not its key ${files.privateKey}: bring the key back, or move the certificate away`;
    throw new SakuraError("INVALID_CONFIG", message);
  }
  const privateKey = kept ?? (await createKey());
  const request = await signingRequest(privateKey, thing, files.privateKey);
  // What is there keeps its mode, which may be a stricter one.
  if (kept === undefined) await writeWhole(files.privateKey, privateKey, PRIVATE_MODE);
  await writeWhole(files.request, request);
  if ((await readIfPresent(files.rootCa)) === undefined) await writeWhole(files.rootCa, amazonRootCa1());
}

/** @throws SakuraError INVALID_CONFIG when it is there, and is not the key's */
export async function readCertificate({ files }: SetupPlan): Promise<X509Certificate | undefined> {
  const text = await readIfPresent(files.certificate);
  return text === undefined ? undefined : checked(text, files.certificate, await readIfPresent(files.privateKey));
}

/** @throws SakuraError SERVICE_FAILED when what AWS has made is not the key's */
export async function writeCertificate({ files }: SetupPlan, pem: string): Promise<X509Certificate> {
  const certificate = checked(pem, "what AWS answered", await readIfPresent(files.privateKey));
  await writeWhole(files.certificate, pem);
  return certificate;
}

export async function writePolicy({ files }: SetupPlan, policy: PolicyDocument): Promise<void> {
  await writeWhole(files.policy, `${JSON.stringify(policy, undefined, 2)}\n`);
}

function checked(pem: string, where: string, privateKey: string | undefined): X509Certificate {
  try {
    const certificate = new X509Certificate(pem);
    if (privateKey !== undefined && certificate.checkPrivateKey(createPrivateKey(privateKey))) return certificate;
  } catch {
    // No cause: it must not carry anything of the key.
  }
  const message = `${where} is not a certificate of the key beside it: move it away, or choose another --dir`;
  throw new SakuraError("INVALID_CONFIG", message);
}
