-- Argo CD's health of a RagDeployment. The operator speaks Argo CD's words in status.phase, so that there is nothing to guess here, but for
-- the moment after an apply: until the operator has seen the new generation, what status says is about the one before.
-- Lua 5.1 (gopher-lua), without the string library: Argo CD opens base and table only.
local health = {}
local status = obj.status
if status == nil or status.phase == nil or tonumber(status.observedGeneration) ~= tonumber(obj.metadata.generation) then
  health.status = "Progressing"
  health.message = "Waiting for the operator to see this generation"
  return health
end
if status.phase == "Healthy" or status.phase == "Suspended" or status.phase == "Degraded" then
  health.status = status.phase
else
  health.status = "Progressing"
end
health.message = status.message
return health
