import { createHash } from 'node:crypto';
import { Controller, Get, Header, Inject, type OnApplicationBootstrap } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { z } from 'zod';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { Endpoint } from '../http/endpoint.ts';
import { type DescribedEndpoint, describeEndpoints } from '../http/endpoints.ts';
import { docsPage, docsStyle } from './docs-page.ts';
import { OpenApiDocument } from './openapi.document.ts';

const styleHash = createHash('sha256').update(docsStyle).digest('base64');

@Controller()
export class DocsController implements OnApplicationBootstrap {
  private endpoints: readonly DescribedEndpoint[] = [];

  constructor(
    private readonly modules: ModulesContainer,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  onApplicationBootstrap(): void {
    this.endpoints = describeEndpoints(this.modules).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  @Get('v1/openapi.json')
  @Endpoint({ summary: 'The OpenAPI 3.1 document', access: 'public', response: z.looseObject({}) })
  document() {
    return new OpenApiDocument(this.endpoints, this.environment.SERVERY_URL).build();
  }

  @Get('docs')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header(
    'Content-Security-Policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`,
  )
  @Endpoint({ summary: 'This documentation', access: 'public', status: 200 })
  page() {
    return docsPage(this.endpoints, this.environment.SERVERY_URL);
  }
}
