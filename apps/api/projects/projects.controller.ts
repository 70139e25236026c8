import { Body, Controller, Get, Post } from '@nestjs/common';
import type { z } from 'zod';
import { type Project, ProjectsService } from '#libs/accounts';
import { createProject, type ProjectWire, projectListResponse, projectResponse } from '#libs/contracts';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';

@Controller('v1/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Get()
  @Endpoint({ summary: 'List your projects', access: 'session', response: projectListResponse })
  async list(@CurrentPrincipal() principal: Principal) {
    const projects = await this.projects.list(principal.accountId);
    return { projects: projects.map(presentProject) };
  }

  @Post()
  @Endpoint({
    summary: 'Make a project',
    audit: 'project.create',
    access: 'session',
    response: projectResponse,
    status: 201,
    idempotent: true,
  })
  async create(
    @CurrentPrincipal() principal: Principal,
    @ResourceId() id: number,
    @Body({ schema: createProject }) body: z.output<typeof createProject>,
  ) {
    const project = await this.projects.create(principal.accountId, { id, name: body.name });
    return { project: presentProject(project) };
  }
}

export function presentProject(project: Project): ProjectWire {
  return { id: project.id, name: project.name, created: project.createdAt.toISOString() };
}
