/**
 * A certificate authority for one bench: it stands in for Amazon's, which signs the endpoint's certificate, and for
 * AWS IoT's "one-click certificate", which signs the clients'. All keys are EC P-256.
 */
import { createPrivateKey, KeyObject, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { JsonGeneralNames } from "@peculiar/x509";
import { SakuraError } from "../../protocol/errors.ts";
import { loadX509 } from "./x509.ts";

/** The name on every authority made here, so that nobody takes one for more than it is. */
export const AUTHORITY_NAME = "sakuraio-kit throwaway CA — not for production";

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const YEAR_MS = 365 * 24 * 3600 * 1000;
/** Clocks differ between machines and containers; a certificate from the future is refused. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** A certificate and its key, both PEM; the key is PKCS #8. */
export interface KeyPairPem {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface IssuedCertificate extends KeyPairPem {
  /** AWS's name for it: the SHA-256 of its DER, 64 lower-case hex digits. */
  readonly certificateId: string;
}

/** When a certificate is valid: by default from five minutes ago for a year. */
export interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface Authority extends KeyPairPem {
  /** A certificate for a TLS server. @param names DNS names and IP addresses, at least one */
  issueServer(names: readonly string[], validity?: Validity): Promise<IssuedCertificate>;
  /** A certificate for a TLS client. @param commonName what it is called: any text, at least one character */
  issueClient(commonName: string, validity?: Validity): Promise<IssuedCertificate>;
}

/** Makes an authority with a new key. */
export async function createAuthority(validity: Validity = {}): Promise<Authority> {
  const x509 = loadX509();
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(validity),
    name: [{ CN: [AUTHORITY_NAME] }],
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return loadAuthority({ certificate: toPem(certificate.rawData), privateKey: keyPem(keys.privateKey) });
}

/**
 * An authority that was made earlier.
 * @throws SakuraError INVALID_ARGUMENT when the two are not PEM, or not an authority and its key
 */
export function loadAuthority({ certificate, privateKey }: KeyPairPem): Authority {
  const parsed = parseCertificate(certificate);
  let key: KeyObject;
  try {
    key = createPrivateKey(privateKey);
  } catch (cause) {
    throw new SakuraError("INVALID_ARGUMENT", "the authority's private key is not a PEM private key", { cause });
  }
  if (!parsed.ca || !parsed.checkPrivateKey(key)) {
    throw new SakuraError("INVALID_ARGUMENT", "the certificate is not an authority's, or the key is not its key");
  }
  return {
    certificate,
    privateKey,
    issueServer(names, validity) {
      const [first] = names;
      if (first === undefined) {
        return Promise.reject(new SakuraError("INVALID_ARGUMENT", "a server's certificate needs at least one name"));
      }
      return issue({ authority: parsed, key }, first, validity, names);
    },
    issueClient: (commonName, validity) => issue({ authority: parsed, key }, commonName, validity),
  };
}

/** A certificate's name at AWS: the SHA-256 of its DER, 64 lower-case hex digits. */
export function certificateIdOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** @throws SakuraError INVALID_ARGUMENT when the text is not a PEM certificate */
export function parseCertificate(certificatePem: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch (cause) {
    throw new SakuraError("INVALID_ARGUMENT", "not a PEM certificate (-----BEGIN CERTIFICATE-----)", { cause });
  }
}

async function issue(
  signer: { readonly authority: X509Certificate; readonly key: KeyObject },
  commonName: string,
  validity: Validity = {},
  serverNames?: readonly string[],
): Promise<IssuedCertificate> {
  const x509 = loadX509();
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    signer.key.export({ format: "der", type: "pkcs8" }),
    KEY_ALGORITHM,
    false,
    ["sign"],
  );
  const authority = new x509.X509Certificate(signer.authority.raw);
  const purpose = serverNames ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(validity),
    subject: [{ CN: [commonName] }],
    issuer: authority.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      ...(serverNames ? [new x509.SubjectAlternativeNameExtension(generalNames(serverNames))] : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const certificatePem = toPem(certificate.rawData);
  return {
    certificate: certificatePem,
    privateKey: keyPem(keys.privateKey),
    certificateId: certificateIdOf(new X509Certificate(certificatePem)),
  };
}

function common({ notBefore, notAfter }: Validity) {
  const from = notBefore ?? new Date(Math.min(Date.now(), notAfter?.getTime() ?? Infinity) - CLOCK_SKEW_MS);
  return {
    serialNumber: randomSerial(),
    notBefore: from,
    notAfter: notAfter ?? new Date(from.getTime() + YEAR_MS),
    signingAlgorithm: SIGNATURE,
  };
}

/** 126 random bits, positive and of one length in DER, as RFC 5280 §4.1.2.2 wants them (at most 20 octets). */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString("hex");
}

function generalNames(names: readonly string[]): JsonGeneralNames {
  return names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }));
}

function toPem(der: ArrayBuffer): string {
  return new X509Certificate(Buffer.from(der)).toString();
}

function keyPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ format: "pem", type: "pkcs8" }).toString();
}
