package macaroon

// spaceMember lists the default privileges of a member of a space.
var spaceMember = []string{
	"space_read_data", "space_view", "space_view_transfers", "space_write_data",
}

// The privileges in each kind of entity, sorted, with their names in the
// Onezone API.
var (
	groupPrivileges = []string{
		"group_add_atm_inventory", "group_add_child", "group_add_cluster", "group_add_harvester",
		"group_add_parent", "group_add_space", "group_add_user", "group_create_handle",
		"group_create_handle_service", "group_delete", "group_leave_cluster", "group_leave_handle",
		"group_leave_handle_service", "group_leave_parent", "group_leave_space",
		"group_remove_atm_inventory", "group_remove_child", "group_remove_harvester", "group_remove_user",
		"group_set_privileges", "group_update", "group_view", "group_view_privileges",
	}
	spacePrivileges = []string{
		"space_add_group", "space_add_harvester", "space_add_support", "space_add_user",
		"space_cancel_eviction", "space_cancel_replication", "space_create_archives", "space_delete",
		"space_manage_archives", "space_manage_atm_workflow_executions", "space_manage_datasets",
		"space_manage_in_marketplace", "space_manage_qos", "space_manage_shares", "space_manage_views",
		"space_query_views", "space_read_data", "space_recall_archives", "space_register_files",
		"space_remove_archives", "space_remove_group", "space_remove_harvester", "space_remove_support",
		"space_remove_user", "space_schedule_atm_workflow_executions", "space_schedule_eviction",
		"space_schedule_replication", "space_set_privileges", "space_update", "space_view",
		"space_view_archives", "space_view_atm_workflow_executions", "space_view_changes_stream",
		"space_view_privileges", "space_view_qos", "space_view_statistics", "space_view_transfers",
		"space_view_views", "space_write_data",
	}
	clusterPrivileges = []string{
		"cluster_add_group", "cluster_add_user", "cluster_delete", "cluster_remove_group",
		"cluster_remove_user", "cluster_set_privileges", "cluster_update", "cluster_view",
		"cluster_view_privileges",
	}
	harvesterPrivileges = []string{
		"harvester_add_group", "harvester_add_space", "harvester_add_user", "harvester_delete",
		"harvester_remove_group", "harvester_remove_space", "harvester_remove_user",
		"harvester_set_privileges", "harvester_update", "harvester_view", "harvester_view_privileges",
	}
	inventoryPrivileges = []string{
		"atm_inventory_add_group", "atm_inventory_add_user", "atm_inventory_delete",
		"atm_inventory_manage_lambdas", "atm_inventory_manage_workflow_schemas",
		"atm_inventory_remove_group", "atm_inventory_remove_user", "atm_inventory_set_privileges",
		"atm_inventory_update", "atm_inventory_view", "atm_inventory_view_privileges",
	}
)
