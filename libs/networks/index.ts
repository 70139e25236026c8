export { accessModule } from './access.module.ts';
export {
  ACCESS_PUBLISHER,
  type AccessPublisher,
  directAccess,
  type PublishedPort,
  relayAccess,
} from './access-publisher.ts';
export { type Address, addAddresses, addressOf, claimAddress, releaseAddress } from './address-pool.ts';
