/** Amazon's root, which Node carries among the authorities that it trusts: nothing has to be downloaded. */
import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { SakuraError } from "../../../protocol/errors.ts";

/** The SHA-256 of Amazon Root CA 1, as published. Its servers sign with it for `-ats` endpoints (aws-iot §3). */
const FINGERPRINT = "8E:CD:E6:88:4F:3D:87:B1:12:5B:A3:1A:C3:FC:B1:3D:70:16:DE:7F:57:CC:90:4F:E1:CB:97:C6:AE:98:19:6E";
const URL = "https://www.amazontrust.com/repository/AmazonRootCA1.pem";

export const ROOT_CA_FILE = "AmazonRootCA1.pem";

/** In PEM. @throws SakuraError UNSUPPORTED when this Node does not carry it */
export function amazonRootCa1(): string {
  const found = rootCertificates.find((pem) => new X509Certificate(pem).fingerprint256 === FINGERPRINT);
  if (found !== undefined) return `${found}\n`;
  const message = `this Node carries no Amazon Root CA 1: download it into the directory yourself with: curl -O ${URL}`;
  throw new SakuraError("UNSUPPORTED", message);
}
