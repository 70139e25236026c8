import { expect, it } from 'vitest';
import { readSamples } from './domain-samples.ts';

const LISTING = `
 0b8f9c1e-3f43-4d0a-9f0e-0a7a4b1c2d3e   servery-7
 1c9f9c1e-3f43-4d0a-9f0e-0a7a4b1c2d3e   other
`;
const STATS = `Domain: 'servery-7'
  cpu.time=61250000000
  cpu.user=1
  block.count=2
  block.0.name=vdb
  block.0.rd.reqs=9
  block.1.name=vda
  block.1.path=/a=b
  block.1.rd.reqs=11
  block.1.rd.bytes=4096
  block.1.wr.reqs=12
  block.1.wr.bytes=8192
  net.count=1
  net.0.name=vnet0
  net.0.rx.bytes=100
  net.0.rx.pkts=2
  net.0.tx.bytes=300
  net.0.tx.pkts=4

Domain: 'went-meanwhile'
  cpu.time=1

Domain: 'other'
`;

it('reads what each domain has used, of its own disk, and leaves out what says nothing', () => {
  expect(readSamples(LISTING, STATS)).toEqual([
    {
      uuid: '0b8f9c1e-3f43-4d0a-9f0e-0a7a4b1c2d3e',
      cpuMilliseconds: 61_250,
      ...{ diskReads: 11, diskWrites: 12, diskReadBytes: 4096, diskWrittenBytes: 8192 },
      ...{ packetsIn: 2, packetsOut: 4, bytesIn: 100, bytesOut: 300 },
    },
  ]);
  expect(readSamples('', '')).toEqual([]);
});
