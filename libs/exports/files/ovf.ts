import { XMLBuilder } from 'fast-xml-parser';
import type { ExportSubject } from './manifest.ts';

export interface OvfDisk {
  readonly fileName: string;
  readonly fileSizeBytes: number;
  readonly virtualSizeBytes: number;
}

const RASD = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData';
const VSSD = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData';
const STREAM_OPTIMIZED = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';
/** Kinds of operating system, by CIM_OperatingSystem: 64-bit ones. */
const OS_IDS: Readonly<Record<string, number>> = { debian: 96, ubuntu: 94, rhel: 80, centos: 107 };
const LINUX_64 = 101;

const RESOURCE = { processor: 3, memory: 4, ethernet: 10, disk: 17, otherStorage: 20 } as const;
const CONTROLLER_ID = 3;
/** By what the server starts from; their subtypes are VMware's, which VirtualBox knows as well. */
const CONTROLLERS = {
  uefi: { name: 'NVMe controller', subtype: 'vmware.nvme.controller' },
  bios: { name: 'SATA controller', subtype: 'vmware.sata.ahci' },
} as const;
const NETWORK = 'VM Network';

/**
 * An OVF 1.1 descriptor (DMTF DSP0243 1.1.0) of one server with one disk and one network card.
 *
 * The disk hangs on NVMe, which Debian's cloud kernels drive (they have neither SATA nor LSI), and which
 * VirtualBox and VMware start from by UEFI alone: one that starts by BIOS alone hangs on SATA. The card is VMware's
 * own: those kernels drive that one and virtio, and no name means virtio to both.
 */
export function ovfDescriptor(subject: ExportSubject, disk: OvfDisk): string {
  return new XMLBuilder({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    format: true,
    suppressEmptyNode: true,
  }).build({ '?xml': { '@version': '1.0', '@encoding': 'UTF-8' }, Envelope: envelope(subject, disk) });
}

function envelope(subject: ExportSubject, disk: OvfDisk) {
  return {
    '@xmlns': 'http://schemas.dmtf.org/ovf/envelope/1',
    '@xmlns:ovf': 'http://schemas.dmtf.org/ovf/envelope/1',
    '@xmlns:rasd': RASD,
    '@xmlns:vssd': VSSD,
    '@xmlns:vmw': 'http://www.vmware.com/schema/ovf',
    '@xml:lang': 'en-US',
    References: {
      File: { '@ovf:id': 'file1', '@ovf:href': disk.fileName, '@ovf:size': disk.fileSizeBytes },
    },
    DiskSection: {
      Info: 'The disk of the server',
      Disk: {
        '@ovf:diskId': 'disk1',
        '@ovf:fileRef': 'file1',
        '@ovf:capacity': disk.virtualSizeBytes,
        '@ovf:capacityAllocationUnits': 'byte',
        '@ovf:format': STREAM_OPTIMIZED,
      },
    },
    NetworkSection: {
      Info: 'Networks of the server',
      Network: { '@ovf:name': NETWORK, Description: 'Any network that reaches the server' },
    },
    VirtualSystem: virtualSystem(subject),
  };
}

function virtualSystem(subject: ExportSubject) {
  const { image } = subject;
  return {
    '@ovf:id': subject.name,
    Info: 'A server',
    Name: subject.name,
    AnnotationSection: { Info: 'What this is', Annotation: annotation(subject) },
    ProductSection: {
      Info: 'What the server was made from',
      Product: image.title,
      Version: image.version,
    },
    EulaSection: { Info: 'Licence of the image', License: image.licence },
    OperatingSystemSection: {
      '@ovf:id': OS_IDS[image.osFlavor] ?? LINUX_64,
      Info: 'The operating system of the server',
      Description: `${image.osFlavor} ${image.version}`,
    },
    VirtualHardwareSection: hardware(subject),
  };
}

/** UEFI where both are offered. */
function firmwareOf({ firmware }: ExportSubject): keyof typeof CONTROLLERS {
  return firmware.includes('uefi') ? 'uefi' : 'bios';
}

function annotation(subject: ExportSubject): string {
  const { name, frozenAt, network } = subject;
  const identity = network
    ? ` It expects the network card ${network.mac} and the address ${network.ipv4}.`
    : '';
  const efi = firmwareOf(subject) === 'uefi' ? 'enable EFI, and ' : '';
  return (
    `The server ${name} as it was at ${frozenAt}.${identity}` +
    ` In VirtualBox ${efi}choose the paravirtualized network card (virtio-net).`
  );
}

function hardware(subject: ExportSubject) {
  return {
    Info: 'What the server needs',
    System: {
      'vssd:ElementName': 'Virtual Hardware Family',
      'vssd:InstanceID': 0,
      'vssd:VirtualSystemIdentifier': subject.name,
      'vssd:VirtualSystemType': 'vmx-13',
    },
    Item: [processors(subject), memory(subject), controller(subject), hardDisk(), card(subject)],
    'vmw:Config': {
      '@ovf:required': 'false',
      '@vmw:key': 'firmware',
      '@vmw:value': firmwareOf(subject) === 'uefi' ? 'efi' : 'bios',
    },
  };
}

/** Elements of an item stand in the order of the alphabet: the schema wants it so. */
function processors({ vcpus }: ExportSubject) {
  return {
    'rasd:AllocationUnits': 'hertz * 10^6',
    'rasd:Description': 'Number of virtual processors',
    'rasd:ElementName': `${vcpus} virtual processor(s)`,
    'rasd:InstanceID': 1,
    'rasd:ResourceType': RESOURCE.processor,
    'rasd:VirtualQuantity': vcpus,
  };
}

function memory({ memoryMib }: ExportSubject) {
  return {
    'rasd:AllocationUnits': 'byte * 2^20',
    'rasd:Description': 'Memory size',
    'rasd:ElementName': `${memoryMib} MiB of memory`,
    'rasd:InstanceID': 2,
    'rasd:ResourceType': RESOURCE.memory,
    'rasd:VirtualQuantity': memoryMib,
  };
}

function controller(subject: ExportSubject) {
  const { name, subtype } = CONTROLLERS[firmwareOf(subject)];
  return {
    'rasd:Address': 0,
    'rasd:Description': name,
    'rasd:ElementName': `${name} 0`,
    'rasd:InstanceID': CONTROLLER_ID,
    'rasd:ResourceSubType': subtype,
    'rasd:ResourceType': RESOURCE.otherStorage,
  };
}

function hardDisk() {
  return {
    'rasd:AddressOnParent': 0,
    'rasd:ElementName': 'Hard disk 1',
    'rasd:HostResource': 'ovf:/disk/disk1',
    'rasd:InstanceID': 4,
    'rasd:Parent': CONTROLLER_ID,
    'rasd:ResourceType': RESOURCE.disk,
  };
}

function card({ network }: ExportSubject) {
  return {
    ...(network && { 'rasd:Address': network.mac }),
    'rasd:AddressOnParent': 1,
    'rasd:AutomaticAllocation': true,
    'rasd:Connection': NETWORK,
    'rasd:ElementName': 'Network card 1',
    'rasd:InstanceID': 5,
    'rasd:ResourceSubType': 'VmxNet3',
    'rasd:ResourceType': RESOURCE.ethernet,
  };
}
