/** Which root a server's certificate needs, from what the server showed (aws-iot §2, §3). */
import type { DetailedPeerCertificate } from "node:tls";

/** What a server showed of its certificates. */
export interface ServerChain {
  /** The names of who signed them, from the server's own certificate upwards. */
  readonly issuers: readonly string[];
  /** The server's key is an elliptic curve's. */
  readonly isEcc: boolean;
}

/** More than any chain that is in use has. */
const DEPTH_MAX = 10;
const NAME_MAX = 100;

export function serverChain(certificate: DetailedPeerCertificate): ServerChain | undefined {
  const issuers: string[] = [];
  let at: DetailedPeerCertificate | undefined = certificate;
  for (let depth = 0; at?.issuer !== undefined && depth < DEPTH_MAX; depth++) {
    issuers.push(nameOf(at.issuer));
    // A root has signed itself.
    const above: DetailedPeerCertificate | undefined = at.issuerCertificate;
    at = above?.fingerprint256 === at.fingerprint256 ? undefined : above;
  }
  return issuers.length === 0 ? undefined : { issuers, isEcc: certificate.asn1Curve !== undefined };
}

/** What rootca_cert must be, in words. */
export function rootNeeded(hostname: string, chain: ServerChain | undefined): string {
  const isAmazon = /\.amazonaws\.com(\.cn)?$/i.test(hostname);
  const old = "VeriSign Class 3 G5 as rootca_cert; better take the -ats endpoint with Amazon Root CA 1";
  const issuers = chain?.issuers ?? [];
  if (issuers.some((name) => /VeriSign/i.test(name))) {
    return `it is an endpoint of the old kind, signed under VeriSign, and needs ${old}`;
  }
  const amazon = issuers.find((name) => /^Amazon Root CA \d$/.test(name));
  if (amazon !== undefined) return `rootca_cert must be ${amazon}, which has signed it`;
  if (issuers.some((name) => /Starfield/i.test(name))) {
    return "it is signed under Starfield: rootca_cert must be Starfield Services Root Certificate Authority - G2";
  }
  if (isAmazon && !/-ats\./i.test(hostname)) return `an endpoint without -ats in its name needs ${old}`;
  if (isAmazon || chain === undefined) {
    return chain?.isEcc
      ? "its key is ECC, so rootca_cert must be Amazon Root CA 3"
      : "for AWS IoT rootca_cert must be Amazon Root CA 1";
  }
  const top = issuers.at(-1);
  return `it is signed by ${top}: rootca_cert must be that authority's certificate; for AWS IoT, Amazon Root CA 1`;
}

/** From outside: kept short, and without what moves a terminal's cursor. */
function nameOf(issuer: DetailedPeerCertificate["issuer"]): string {
  const name = String(issuer.CN ?? issuer.O ?? "an authority without a name");
  return name.replaceAll(/\p{C}/gu, "?").slice(0, NAME_MAX);
}
