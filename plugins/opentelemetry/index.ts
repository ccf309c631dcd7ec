/** opentelemetry: takes part in traces and exports the gateway's own spans. Contract/plugins.md section 4. */
import { definePlugin, type InferConfig } from '@tollgate/sdk';
import { findTargets } from './export-targets.ts';
import { propagate } from './propagate.ts';
import { type PropagationPlan, planPropagation } from './propagation-plan.ts';
import { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

export default definePlugin({
  name: 'opentelemetry',
  version: '0.1.0',
  priority: 14,
  logRecord: 'summary',
  responseNeeds: 'http_response_header_for_traceid',
  capabilities: { traceExport: true },
  schema,

  access(kong, config) {
    const plan = findPlan(config);
    const headers = propagate(kong.request, kong.tracing, plan, config.sampling_rate);
    for (const name of plan.clear) kong.service.request.clearHeader(name);
    for (const [name, value] of headers) kong.service.request.setHeader(name, value);
  },

  /** In a phase of its own, which runs on the answers of plugins before this one too. */
  response(kong, config) {
    const header = config.http_response_header_for_traceid;
    const traceId = kong.tracing.getContext()?.traceId;
    if (header !== null && traceId !== undefined) kong.response.setHeader(header, traceId);
  },

  log(kong, config) {
    kong.tracing.export(findTargets(config));
  },
});

/** A configuration is one frozen object for as long as it is valid. */
const plans = new WeakMap<Config, PropagationPlan>();

function findPlan(config: Config): PropagationPlan {
  let plan = plans.get(config);
  if (plan === undefined) {
    plan = planPropagation(config);
    plans.set(config, plan);
  }
  return plan;
}
