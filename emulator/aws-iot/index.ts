/** An MQTT endpoint that takes and refuses as AWS IoT Core does. */
export {
  type Authority,
  createAuthority,
  type IssuedCertificate,
  type KeyPairPem,
  loadAuthority,
  type Validity,
} from "./certificates.ts";
export { type AwsIotEndpoint, type AwsIotEndpointOptions, startAwsIotEndpoint } from "./endpoint.ts";
export type { Direction, EndpointEvent, EndReason, FlowReason } from "./events.ts";
export { type EndpointFaultSpec, parseEndpointFaults } from "./fault-spec.ts";
export type { EndpointFaults } from "./faults.ts";
export { type LimitName, type LimitSwitches, limitNames, parseLimits } from "./limits.ts";
export { allows, type Policy, type PolicyAction, type PolicyVariables, parsePolicy } from "./policy.ts";
export type { CertificateRegistration } from "./registry.ts";
export { startWorkspace, type Workspace, type WorkspaceOptions } from "./workspace.ts";
