export { type Address, addAddresses, addressOf, claimAddress, releaseAddress } from './address-pool.ts';
