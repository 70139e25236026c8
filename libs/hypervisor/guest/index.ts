export { type GuestProxy, parseGuestProxy } from './dial.ts';
export { NetworkGuestReach } from './network-guest-reach.ts';
