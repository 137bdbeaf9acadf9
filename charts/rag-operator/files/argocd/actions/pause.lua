-- Nothing rises until resume; judging and rollback go on.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ragoperator.dev/request"] = "pause/" .. obj.status.canaryRevision
return obj
