export { accessModule } from './access.module.ts';
export {
  ACCESS_PUBLISHER,
  type AccessPublisher,
  directAccess,
  type PublishedPort,
  relayAccess,
} from './access-publisher.ts';
export {
  type Address,
  type AddressPool,
  addAddresses,
  addressOf,
  addressPools,
  claimAddress,
  inheritAddress,
  releaseAddress,
  removeAddresses,
  takeInheritedAddress,
} from './address-pool.ts';
export { type AddressRun, assertInNetwork, type Network, parseAddressRun } from './address-run.ts';
export { NetworksError, type NetworksErrorCode } from './networks.errors.ts';
export { holdStrayAddresses, type Stray } from './stray-addresses.ts';
