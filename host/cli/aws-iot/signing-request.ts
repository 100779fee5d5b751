/**
 * A key of this machine's own, and the request by which AWS makes a certificate for it: the key goes nowhere. EC P-256,
 * which AWS IoT takes beside RSA of 2048 bits and more, because it is made at once and its handshakes are small.
 */
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { loadX509 } from "../../../emulator/aws-iot/x509.ts";
import { SakuraError } from "../../../protocol/errors.ts";

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;

/** A new key, PKCS #8 in PEM. */
export async function createKey(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/**
 * A certificate signing request (PKCS #10) in PEM.
 * @param file where the key is, for messages
 * @throws SakuraError INVALID_CONFIG when the key is not one of ours
 */
export async function signingRequest(privateKeyPem: string, commonName: string, file: string): Promise<string> {
  const key = readKey(privateKeyPem, file);
  const pkcs8 = key.export({ format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const { subtle } = webcrypto;
  const x509 = loadX509();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys: {
      privateKey: await subtle.importKey("pkcs8", pkcs8, KEY_ALGORITHM, false, ["sign"]),
      publicKey: await subtle.importKey("spki", spki, KEY_ALGORITHM, true, ["verify"]),
    },
    signingAlgorithm: SIGNATURE,
  });
  return `${request.toString("pem")}\n`;
}

function readKey(privateKeyPem: string, file: string): KeyObject {
  try {
    const key = createPrivateKey(privateKeyPem);
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch {
    // No cause: it must not carry anything of the key.
  }
  const message = `${file} is there, and is not a key that this command makes (EC P-256): move it away, or choose another --dir`;
  throw new SakuraError("INVALID_CONFIG", message, { context: { file } });
}
