export { createOrchestratorService, type OrchestratorDeps } from './app.ts';
export { type OrchestratorConfig, orchestratorConfig } from './config.ts';
export { type StopAllOptions, type StopAllResult, stopAllContainers } from './down/stop-all-containers.ts';
export { networkProber, type Prober } from './probes/probe.ts';
export { createDockerRuntime, type DockerRuntimeOptions } from './runtime/docker/docker-runtime.ts';
export { removeNetworkRules } from './runtime/docker/firewall/firewall.ts';
export { createMemoryRuntime, type MemoryRuntime, type MemoryRuntimeOptions } from './runtime/memory/memory-runtime.ts';
export { type Program, sampleProgram } from './runtime/memory/program.ts';
export { type Runtime, RuntimeError, type RuntimeProblem } from './runtime/runtime.ts';
