/** The certificates that the endpoint knows, and what is attached to them: AWS's "Security → Certificates". */
import type { X509Certificate } from "node:crypto";
import { SakuraError } from "../../protocol/errors.ts";
import { certificateIdOf, parseCertificate } from "./certificates.ts";
import { allows, type Policy, type PolicyAction } from "./policy.ts";
import { firstObjection, type Objection, type Rule, type Session } from "./rules.ts";

export interface CertificateRegistration {
  readonly certificatePem: string;
  /** What is attached to it from the start; default the endpoint's `policies`. */
  readonly policies?: readonly Policy[];
  /** Default true. */
  readonly active?: boolean;
}

interface Entry {
  active: boolean;
  /** By name. */
  readonly policies: Map<string, Policy>;
}

interface RegistryOptions {
  /** Only certificates that it signed can ever get through the handshake, so no others are taken. */
  readonly authority: X509Certificate;
  /** `arn:aws:iot:REGION:ACCOUNT:`, what the resources' ARNs begin with. */
  readonly arnPrefix: string;
  readonly defaultPolicies: readonly Policy[];
}

export class CertificateRegistry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /**
   * Registers a certificate, or registers it anew.
   * @returns its certificateId
   * @throws SakuraError INVALID_ARGUMENT when it is not PEM, or signed by another authority
   */
  register({ certificatePem, policies, active = true }: CertificateRegistration): string {
    const certificate = parseCertificate(certificatePem);
    const { authority, defaultPolicies } = this.#options;
    if (!certificate.verify(authority.publicKey)) {
      throw new SakuraError("INVALID_ARGUMENT", "the certificate is not signed by this endpoint's authority");
    }
    const certificateId = certificateIdOf(certificate);
    const attached = (policies ?? defaultPolicies).map((policy) => [policy.name, policy] as const);
    this.#entries.set(certificateId, { active, policies: new Map(attached) });
    return certificateId;
  }

  /** Replaces one of the same name. @throws SakuraError INVALID_ARGUMENT for an unknown certificate */
  attach(certificateId: string, policy: Policy): void {
    this.#entry(certificateId).policies.set(policy.name, policy);
  }

  /** @returns whether it was attached @throws SakuraError INVALID_ARGUMENT for an unknown certificate */
  detach(certificateId: string, policyName: string): boolean {
    return this.#entry(certificateId).policies.delete(policyName);
  }

  /** @throws SakuraError INVALID_ARGUMENT for an unknown certificate */
  setActive(certificateId: string, active: boolean): void {
    this.#entry(certificateId).active = active;
  }

  /** Whether a message on this topic may be delivered to the client. */
  mayReceive(session: Session, topic: string): boolean {
    return this.#allows(session, "iot:Receive", `topic/${topic}`);
  }

  /** The rule that the certificate must be known, active, and allowed what it asks for. */
  readonly rule: Rule = {
    connect: (_request, session) => this.#connectObjection(session),
    publish: ({ topic, retain }, session) => {
      const resource = `topic/${topic}`;
      if (!this.#allows(session, "iot:Publish", resource)) return denied("publish-denied", "iot:Publish", resource);
      if (retain && !this.#allows(session, "iot:RetainPublish", resource)) {
        return denied("publish-denied", "iot:RetainPublish", resource);
      }
      return undefined;
    },
    subscribe: ({ filters }, session) =>
      firstObjection(filters, ({ filter }) => {
        const resource = `topicfilter/${filter}`;
        if (this.#allows(session, "iot:Subscribe", resource)) return undefined;
        return denied("subscribe-denied", "iot:Subscribe", resource);
      }),
  };

  #connectObjection(session: Session): Objection | undefined {
    const { certificateId, clientId } = session;
    const entry = this.#entries.get(certificateId);
    if (!entry) return { reason: "unknown-certificate", message: `certificate ${certificateId} is not registered` };
    if (!entry.active) return { reason: "inactive-certificate", message: `certificate ${certificateId} is inactive` };
    if (entry.policies.size === 0) {
      return { reason: "no-policy", message: `certificate ${certificateId} has no policy attached` };
    }
    const resource = `client/${clientId}`;
    return this.#allows(session, "iot:Connect", resource)
      ? undefined
      : denied("connect-denied", "iot:Connect", resource);
  }

  #allows({ certificateId, clientId }: Session, action: PolicyAction, resource: string): boolean {
    const entry = this.#entries.get(certificateId);
    if (!entry?.active) return false;
    const arn = this.#options.arnPrefix + resource;
    return allows([...entry.policies.values()], action, arn, { "iot:ClientId": clientId });
  }

  #entry(certificateId: string): Entry {
    const entry = this.#entries.get(certificateId);
    if (entry) return entry;
    throw new SakuraError("INVALID_ARGUMENT", `certificate ${certificateId} is not registered: register it first`, {
      context: { certificateId },
    });
  }
}

function denied(reason: Objection["reason"], action: PolicyAction, resource: string): Objection {
  return { reason, message: `no policy of the certificate allows ${action} on ${resource}` };
}
