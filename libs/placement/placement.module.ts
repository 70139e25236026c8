import { Module } from '@nestjs/common';
import { Finding } from './finding.entity.ts';
import { FindingsService } from './findings.service.ts';
import { Host } from './host.entity.ts';
import { HostsService } from './hosts.service.ts';

/** Tables of this feature, for the app's data source. */
export const placementEntities = [Finding, Host];

@Module({ providers: [FindingsService, HostsService], exports: [FindingsService, HostsService] })
export class PlacementModule {}
