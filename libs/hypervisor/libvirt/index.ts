export { LibvirtHypervisor, type LibvirtSettings } from './libvirt-hypervisor.ts';
