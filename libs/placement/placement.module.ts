import { Module } from '@nestjs/common';
import { FindingsService } from './findings.service.ts';
import { HostsService } from './hosts.service.ts';

@Module({ providers: [FindingsService, HostsService], exports: [FindingsService, HostsService] })
export class PlacementModule {}
