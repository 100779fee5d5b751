/** A service as an operator may see it: everything but its key. */
import { X509Certificate } from "node:crypto";
import type { IdentifiedService } from "../config/client-ids.ts";
import type { ServiceConfig } from "../config/schema.ts";
import type { CertificateView, ServiceView } from "./control.ts";

export function serviceView({ config, clientId }: IdentifiedService<ServiceConfig>): ServiceView {
  const { credentials, modules, ...fields } = config;
  const { certificate, rootCa, from } = credentials;
  return {
    ...fields,
    ...(modules !== undefined && { modules: [...modules] }),
    clientId,
    rootCa: certificateView(new X509Certificate(rootCa), from.rootCa),
    certificate: certificateView(certificate, from.certificate),
    privateKeyFrom: from.privateKey,
  };
}

function certificateView(certificate: X509Certificate, from: string | undefined): CertificateView {
  const { subject, issuer, validFrom, validTo, fingerprint256: fingerprint } = certificate;
  return {
    from,
    subject,
    issuer,
    validFrom: Date.parse(validFrom),
    validTo: Date.parse(validTo),
    fingerprint,
  };
}
